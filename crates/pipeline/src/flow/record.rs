//! The flow record: one retransmission in the field's own terms.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::raw::RawKind;
use strum::{EnumString, IntoStaticStr, VariantNames};

/// One retransmission: of whom, to whom, how much and why.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowRecord {
    /// Which of the receiver's events this is.
    pub identity: RecordIdentity,
    /// The event's own time, ns since the Unix epoch.
    pub time_unix_nano: u64,
    /// The socket's own address and port. An IPv4-mapped IPv6 address is here as IPv4.
    pub local: SocketAddr,
    /// The other side's address and port, as `local`; its family is the record's IP version.
    pub peer: SocketAddr,
    /// State of the connection.
    pub state: TcpState,
    /// Header flags of the segment.
    pub flags: TcpFlags,
    /// Why the kernel retransmitted, as far as that can be told.
    pub retransmit_type: RetransmitType,
    /// A timeout's: not sent by the timer itself, but in the slow start after it.
    pub slow_start: bool,
    /// Which side of the handshake sent it; `None` on anything but SYN and SYN-ACK.
    pub handshake_role: Option<HandshakeRole>,
    /// Segments sent again, as the kernel counts them; under GSO one record is many segments. Includes those of the
    /// socket's earlier retransmissions that were not seen; 0 for an attempt that the kernel did not count.
    pub segments: u32,
    /// Payload sent again, in bytes.
    pub bytes: u32,
    /// Sequence number of the first byte sent again.
    pub sequence: u32,
    /// Smoothed round trip time; `None` before the first sample.
    pub rtt: Option<Duration>,
    /// Congestion window, in segments.
    pub cwnd: u32,
    /// Maximum segment size in force, in bytes.
    pub mss: u32,
    /// Segments retransmitted over the socket's whole life.
    pub total_retransmits: u32,
    /// Inode of the socket's network namespace.
    pub netns_inode: Option<u32>,
    /// cgroup v2 id of the socket's owner.
    pub cgroup_id: Option<u64>,
    /// Socket cookie.
    pub socket_cookie: Option<u64>,
    /// The errno (above zero) with which the kernel itself failed to send; `None` when it was sent.
    pub errno: Option<i32>,
}

/// A record's identity within one start of its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordIdentity {
    /// CPU that saw the event.
    pub cpu: u32,
    /// What was sent again: each kind is numbered by itself.
    pub kind: RawKind,
    /// Number of the event on that CPU, of that kind.
    pub sequence: u64,
}

/// IP version, in the words of the semantic convention `network.type`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum NetworkType {
    /// IPv4, an IPv4-mapped IPv6 peer included.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Why a segment was sent again: the values of `network.tcp.retransmit.type`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, VariantNames,
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
    /// It can't be told.
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

/// State of a TCP connection, in the words of the semantic convention `network.connection.state`.
///
/// Discriminants are the kernel's (`include/net/tcp_states.h`).
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
    EnumString,
    VariantNames,
    strum::FromRepr,
)]
#[strum(serialize_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)] // RFC 9293's own names
pub enum TcpState {
    Established = 1,
    SynSent,
    SynReceived,
    #[strum(serialize = "fin_wait_1")]
    FinWait1,
    #[strum(serialize = "fin_wait_2")]
    FinWait2,
    TimeWait,
    /// The kernel's `TCP_CLOSE`, and any state this program does not know.
    Closed,
    CloseWait,
    LastAck,
    Listen,
    Closing,
}

/// TCP header flags (RFC 9293, section 3.1), AE (RFC 9768) included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// FIN.
    pub const FIN: u16 = 0x001;
    /// SYN.
    pub const SYN: u16 = 0x002;
    /// RST.
    pub const RST: u16 = 0x004;
    /// PSH.
    pub const PSH: u16 = 0x008;
    /// ACK.
    pub const ACK: u16 = 0x010;
    /// URG.
    pub const URG: u16 = 0x020;
    /// ECE.
    pub const ECE: u16 = 0x040;
    /// CWR.
    pub const CWR: u16 = 0x080;
    /// AE, the former NS bit.
    pub const AE: u16 = 0x100;

    const NAMES: [(u16, &'static str); 9] = [
        (Self::AE, "AE"),
        (Self::CWR, "CWR"),
        (Self::ECE, "ECE"),
        (Self::URG, "URG"),
        (Self::ACK, "ACK"),
        (Self::PSH, "PSH"),
        (Self::RST, "RST"),
        (Self::SYN, "SYN"),
        (Self::FIN, "FIN"),
    ];

    /// Is this flag set?
    pub fn contains(self, flag: u16) -> bool {
        self.0 & flag != 0
    }
}

/// Names in header order, joined by a bar: `ACK|PSH`; `none` without any.
impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (_, name) in Self::NAMES.iter().filter(|(bit, _)| self.contains(*bit)) {
            write!(f, "{separator}{name}")?;
            separator = "|";
        }
        if separator.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

/// A word that is no header flag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no TCP header flag")]
pub struct UnknownFlag(String);

/// The names that [`TcpFlags`] displays, in any order.
impl FromStr for TcpFlags {
    type Err = UnknownFlag;

    fn from_str(text: &str) -> Result<Self, UnknownFlag> {
        if text == "none" {
            return Ok(TcpFlags::default());
        }
        text.split('|').map(str::trim).try_fold(TcpFlags::default(), |flags, word| {
            let (bit, _) = Self::NAMES
                .iter()
                .find(|(_, name)| *name == word)
                .ok_or_else(|| UnknownFlag(word.to_owned()))?;
            Ok(TcpFlags(flags.0 | bit))
        })
    }
}

impl FlowRecord {
    /// Segments that were found without their skb: no flags, no sequence number, no payload.
    pub fn is_unseen(&self) -> bool {
        self.identity.kind == RawKind::Unseen
    }

    /// The record's IP version: its peer's.
    pub fn network_type(&self) -> NetworkType {
        if self.peer.is_ipv4() { NetworkType::Ipv4 } else { NetworkType::Ipv6 }
    }
}

#[cfg(test)]
mod tests;
