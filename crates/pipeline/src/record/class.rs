//! What kind of retransmission a record is about: attributes that take few values.

use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr, VariantNames};

/// IP version, reason and role of a retransmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// IP version.
    pub network_type: NetworkType,
    /// Why the kernel retransmitted, if that is known.
    pub retransmit_type: RetransmitType,
    /// Which side of the handshake sent it; `None` on anything but SYN and SYN-ACK.
    pub handshake_role: Option<HandshakeRole>,
    /// For a timeout: true if the segment was sent in the slow start after the timeout, false if the timer itself sent
    /// it. `None` for all other types.
    pub slow_start: Option<bool>,
}

/// IP version: the values of the semantic convention `network.type`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum NetworkType {
    /// IPv4. This includes connections to an IPv4-mapped IPv6 address.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Why a segment was sent again: the values of `network.tcp.retransmit.type`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    IntoStaticStr,
    EnumCount,
    EnumIter,
    EnumString,
    VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum RetransmitType {
    /// Loss detection by acknowledgements (fast retransmit, RACK).
    Fast,
    /// A tail loss probe (RFC 8985, section 7).
    TailLossProbe,
    /// The retransmission timer (RFC 6298) and the slow start after it.
    Timeout,
    /// A SYN or a SYN-ACK.
    Handshake,
    /// The reason is not known.
    Unknown,
}

/// Which side of the handshake sent the segment: the values of `network.tcp.handshake.role`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum HandshakeRole {
    /// Sent a SYN.
    Client,
    /// Sent a SYN-ACK.
    Server,
}
