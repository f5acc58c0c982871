//! The record: what receivers send, processors work on and exporters send.
//!
//! A record is one retransmission, or a gap: retransmissions for which only the numbers are known. Filters, sums and
//! exporters ask a record for its attributes in the same way, by [`Record::get`] and [`Record::attributes`].

mod amounts;
mod ask;
mod bundle;
mod class;
mod flags;
mod flow;
pub mod json;
mod model;
mod owner;

pub use amounts::Amounts;
pub use bundle::Bundle;
pub use class::{Class, HandshakeRole, NetworkType, RetransmitType};
pub use flags::{TcpFlags, UnknownFlag};
pub use flow::{Flow, Segment, TcpSample, TcpState};
pub use model::{EVENTS, Identity, Record};
pub use owner::{Command, Owner};
