//! The attributes that filters, aggregation and exporters name, and their values on a record.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use nix::errno::Errno;
use serde_with::{DeserializeFromStr, SerializeDisplay};
use strum::{Display, EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

use crate::config::nearest;
use crate::flow::{FlowRecord, Record};

/// An attribute, by its OTLP name. Those of the semantic conventions 1.37 bear their names; the rest is `tcp.*`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    EnumIter,
    IntoStaticStr,
    SerializeDisplay,
    DeserializeFromStr,
)]
#[strum(parse_err_ty = UnknownAttribute, parse_err_fn = UnknownAttribute::new)]
#[allow(missing_docs)] // each variant is its name
pub enum Attribute {
    #[strum(serialize = "network.transport")]
    NetworkTransport,
    #[strum(serialize = "network.type")]
    NetworkType,
    #[strum(serialize = "network.tcp.retransmit.type")]
    RetransmitType,
    #[strum(serialize = "network.tcp.handshake.role")]
    HandshakeRole,
    #[strum(serialize = "network.connection.state")]
    ConnectionState,
    #[strum(serialize = "network.local.address")]
    LocalAddress,
    #[strum(serialize = "network.local.port")]
    LocalPort,
    #[strum(serialize = "network.peer.address")]
    PeerAddress,
    #[strum(serialize = "network.peer.port")]
    PeerPort,
    /// Of a timeout: sent in the slow start after it, not by the timer itself.
    #[strum(serialize = "tcp.slow_start")]
    SlowStart,
    #[strum(serialize = "tcp.flags")]
    Flags,
    /// Retransmissions in a gap.
    #[strum(serialize = "tcp.events")]
    Events,
    #[strum(serialize = "tcp.segments")]
    Segments,
    #[strum(serialize = "tcp.bytes")]
    Bytes,
    #[strum(serialize = "tcp.seq")]
    Sequence,
    #[strum(serialize = "tcp.rtt")]
    Rtt,
    #[strum(serialize = "tcp.cwnd")]
    Cwnd,
    #[strum(serialize = "tcp.mss")]
    Mss,
    #[strum(serialize = "tcp.total_retransmits")]
    TotalRetransmits,
    #[strum(serialize = "linux.netns.inode")]
    NetnsInode,
    #[strum(serialize = "error.type")]
    ErrorType,
    /// Set by `aggregate` alone, on the series that takes what exceeds the cap.
    #[strum(serialize = "otel.metric.overflow")]
    MetricOverflow,
}

/// A name that no attribute bears.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown attribute `{0}`; {1}")]
pub struct UnknownAttribute(String, String);

impl UnknownAttribute {
    fn new(name: &str) -> Self {
        let hint = match nearest(name, Attribute::iter().map(Attribute::name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "expected one of {}",
                Attribute::iter().map(Attribute::name).collect::<Vec<_>>().join(", ")
            ),
        };
        UnknownAttribute(name.to_owned(), hint)
    }
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AttributeValue {
    /// A word out of a fixed list.
    Word(&'static str),
    /// A text.
    Text(String),
    /// An IP address; a string in OTLP.
    Address(IpAddr),
    /// A whole number.
    Int(i64),
    /// A span of time; seconds as a double in OTLP.
    Seconds(Duration),
    /// True or false.
    Bool(bool),
}

/// As people read it; what filters compare with and `debug` prints.
impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AttributeValue::Word(word) => f.write_str(word),
            AttributeValue::Text(text) => f.write_str(text),
            AttributeValue::Address(address) => address.fmt(f),
            AttributeValue::Int(number) => number.fmt(f),
            AttributeValue::Seconds(time) => write!(f, "{:.6}", time.as_secs_f64()),
            AttributeValue::Bool(truth) => truth.fmt(f),
        }
    }
}

impl Attribute {
    /// The OTLP name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Does it take few values on any host, so that it may stand on a metric by default?
    pub fn is_bounded(self) -> bool {
        matches!(
            self,
            Attribute::NetworkTransport
                | Attribute::NetworkType
                | Attribute::RetransmitType
                | Attribute::HandshakeRole
                | Attribute::ConnectionState
                | Attribute::ErrorType
                | Attribute::MetricOverflow
        )
    }

    /// This attribute's value on a record; `None` where the record has none.
    pub fn of(self, record: &Record) -> Option<AttributeValue> {
        use AttributeValue::{Bool, Int, Word};
        Some(match (self, record) {
            (Attribute::NetworkTransport, _) => Word("tcp"),
            (Attribute::NetworkType, _) => Word(record.network_type().into()),
            (Attribute::RetransmitType, _) => Word(record.retransmit_type().into()),
            (Attribute::HandshakeRole, _) => Word(record.handshake_role()?.into()),
            (Attribute::SlowStart, _) => Bool(record.slow_start()?),
            (Attribute::Segments, _) => Int(whole(record.segments())),
            (_, Record::Flow(flow)) => return self.of_flow(flow),
            (Attribute::Events, Record::Gap(gap)) => Int(whole(gap.events)),
            (Attribute::Bytes, Record::Gap(gap)) => Int(whole(gap.bytes)),
            (_, Record::Gap(_)) => return None,
        })
    }

    /// What is known of a single flow only.
    fn of_flow(self, flow: &FlowRecord) -> Option<AttributeValue> {
        use AttributeValue::{Address, Int, Seconds, Text, Word};
        Some(match self {
            Attribute::Flags | Attribute::Bytes | Attribute::Sequence if flow.is_unseen() => return None,
            Attribute::ConnectionState => Word(flow.state.into()),
            Attribute::LocalAddress => Address(flow.local.ip()),
            Attribute::LocalPort => Int(flow.local.port().into()),
            Attribute::PeerAddress => Address(flow.peer.ip()),
            Attribute::PeerPort => Int(flow.peer.port().into()),
            Attribute::Flags => Text(flow.flags.to_string()),
            Attribute::Bytes => Int(flow.bytes.into()),
            Attribute::Sequence => Int(flow.sequence.into()),
            Attribute::Rtt => Seconds(flow.rtt?),
            Attribute::Cwnd => Int(flow.cwnd.into()),
            Attribute::Mss => Int(flow.mss.into()),
            Attribute::TotalRetransmits => Int(flow.total_retransmits.into()),
            Attribute::NetnsInode => Int(flow.netns_inode?.into()),
            Attribute::ErrorType => Text(error_type(flow.errno?)),
            Attribute::NetworkTransport
            | Attribute::NetworkType
            | Attribute::RetransmitType
            | Attribute::HandshakeRole
            | Attribute::SlowStart
            | Attribute::Events
            | Attribute::Segments
            | Attribute::MetricOverflow => return None,
        })
    }

    /// All attributes that a record has, with their values, in the order of the enum.
    pub fn all_of(record: &Record) -> impl Iterator<Item = (Attribute, AttributeValue)> {
        Attribute::iter().filter_map(move |attribute| Some((attribute, attribute.of(record)?)))
    }
}

/// A count as OTLP's signed integer.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The name of an errno, `EBUSY`; the bare number where libc has no name for it (kernel-internal ones).
pub fn error_type(errno: i32) -> String {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => errno.to_string(),
        known => format!("{known:?}"),
    }
}

/// The errno of which `name` is the `error.type`.
pub(crate) fn errno(name: &str) -> Option<i32> {
    /// `MAX_ERRNO` (include/linux/err.h).
    const MAX: i32 = 4095;
    (1..=MAX).find(|errno| error_type(*errno) == name)
}

#[cfg(test)]
mod tests;
