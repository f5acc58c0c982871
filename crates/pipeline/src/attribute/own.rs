//! The attributes that receivers set: a closed list.

use serde_with::{DeserializeFromStr, SerializeDisplay};
use strum::{Display, EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

use crate::config::nearest;

/// An attribute, by its OTLP name. The name is that of the semantic conventions 1.37 if they have one for it; all other
/// names are this project's own.
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
#[allow(missing_docs)] // the names say what the variants are
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
    /// Only on timeouts: true if the segment was sent in the slow start after the timeout, false if the timer itself
    /// sent it.
    #[strum(serialize = "tcp.slow_start")]
    SlowStart,
    #[strum(serialize = "tcp.flags")]
    Flags,
    /// Number of retransmissions in a gap.
    #[strum(serialize = "tcp.events")]
    Events,
    /// Number of those that the kernel failed to send; only on a gap that has some.
    #[strum(serialize = "tcp.failures")]
    Failures,
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
    #[strum(serialize = "tcp.segments_sent")]
    SegmentsSent,
    #[strum(serialize = "tcp.dsack_dups")]
    DsackDups,
    #[strum(serialize = "linux.netns.inode")]
    NetnsInode,
    /// The process that owns the socket, in the initial pid namespace.
    #[strum(serialize = "process.pid")]
    ProcessPid,
    /// Its command as the kernel keeps it: at most 15 bytes.
    #[strum(serialize = "process.command")]
    ProcessCommand,
    #[strum(serialize = "error.type")]
    ErrorType,
    /// Only `aggregate` sets it, on the series that takes what exceeds `max_series`.
    #[strum(serialize = "otel.metric.overflow")]
    MetricOverflow,
}

/// An error: no attribute has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown attribute `{0}`; {1}")]
pub struct UnknownAttribute(String, String);

impl UnknownAttribute {
    fn new(name: &str) -> Self {
        UnknownAttribute::among(name, &[])
    }

    /// No receiver sets an attribute of this name, and it is none of those that processors find.
    pub fn among(name: &str, found: &[String]) -> Self {
        let mut names: Vec<&str> = Vec::new();
        Attribute::iter().for_each(|own| names.push(own.name()));
        names.extend(found.iter().map(String::as_str));
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of {}", names.join(", ")),
        };
        UnknownAttribute(name.to_owned(), hint)
    }
}

impl Attribute {
    /// The OTLP name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
