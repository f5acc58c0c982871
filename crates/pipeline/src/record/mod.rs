//! The record: what receivers send, processors work on and exporters ship.
//!
//! A record is one retransmission, or a gap: retransmissions of which only the numbers are known. Everybody asks a record
//! for an attribute in the same way, [`Record::get`] and [`Record::attributes`].

mod amounts;
mod ask;
mod bundle;
mod class;
mod flags;
mod flow;
mod model;

pub use amounts::Amounts;
pub use bundle::Bundle;
pub use class::{Class, HandshakeRole, NetworkType, RetransmitType};
pub use flags::{TcpFlags, UnknownFlag};
pub use flow::{Flow, Segment, TcpSample, TcpState};
pub use model::{Identity, Record};
