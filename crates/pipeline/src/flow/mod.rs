//! Records, ready for processors and exporters, and how what a receiver hands over becomes one.

mod convert;
mod gap;
mod reason;
mod record;

pub use convert::{ConvertError, flow_record};
pub use gap::{Gap, Record};
pub use record::{
    FlowRecord, HandshakeRole, NetworkType, RecordIdentity, RetransmitType, TcpFlags, TcpState, UnknownFlag,
};
