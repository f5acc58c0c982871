//! The flow record and how a raw event becomes one.

mod convert;
mod reason;
mod record;

pub use convert::{ConvertError, flow_record};
pub use record::{
    FlowRecord, HandshakeRole, NetworkType, RecordIdentity, RetransmitType, TcpFlags, TcpState, UnknownFlag,
};
