//! What the attributes say. The reference in docs/ is made of this.

use super::own::Attribute;

/// An attribute, for the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The OTLP name.
    pub name: String,
    /// The type of its values in OTLP.
    pub kind: Kind,
    /// What it says, in words for people.
    pub text: &'static str,
}

/// A type of values in OTLP (`AnyValue`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
#[allow(missing_docs)] // OTLP's words
pub enum Kind {
    String,
    Int,
    Double,
    Bool,
}

impl Attribute {
    /// Its name, type and meaning.
    pub fn described(self) -> Described {
        use Kind::{Bool, Double, Int, String};
        let (kind, text) = match self {
            Attribute::NetworkTransport => (String, "Always `tcp`."),
            Attribute::NetworkType => (String, "`ipv4` or `ipv6`. An IPv4-mapped peer is `ipv4`."),
            Attribute::RetransmitType => (
                String,
                "Why it was sent again: `fast`, `tail_loss_probe`, `timeout`, `handshake` or `unknown`.",
            ),
            Attribute::HandshakeRole => {
                (String, "Of a SYN `client`, of a SYN-ACK `server`. Other segments do not have it.")
            }
            Attribute::ConnectionState => {
                (String, "The state of the connection, such as `established`. A gap has none.")
            }
            Attribute::LocalAddress => (String, "The local address."),
            Attribute::LocalPort => (Int, "The local port."),
            Attribute::PeerAddress => (String, "The peer's address."),
            Attribute::PeerPort => (Int, "The peer's port."),
            Attribute::SlowStart => (
                Bool,
                "Of a `timeout`: false if the timer itself sent it, true if the slow start after the timeout did.",
            ),
            Attribute::Flags => (String, "The flags of the TCP header, such as `ACK|PSH`."),
            Attribute::Events => (Int, "Retransmissions in a gap."),
            Attribute::Failures => {
                (Int, "Retransmissions in a gap that the kernel failed to send, if there are any.")
            }
            Attribute::Segments => (Int, "Segments that were sent again."),
            Attribute::Bytes => (Int, "Bytes of payload that were sent again."),
            Attribute::Sequence => (Int, "The sequence number of the segment."),
            Attribute::Rtt => (Double, "The smoothed round-trip time of the connection, in seconds."),
            Attribute::Cwnd => (Int, "The congestion window, in segments."),
            Attribute::Mss => (Int, "The largest segment that the connection sends, in bytes."),
            Attribute::TotalRetransmits => (Int, "Segments that the connection has sent again until now."),
            Attribute::SegmentsSent => (Int, "Segments that the connection has sent until now."),
            Attribute::DsackDups => (
                Int,
                "Segments that the connection has sent again and of which the peer has said that they were not needed.",
            ),
            Attribute::NetnsInode => (Int, "The inode of the network namespace."),
            Attribute::ProcessPid => (
                Int,
                "The process that owns the socket, in the initial pid namespace. Of `tcp_stats`: the process with the smallest id in the network namespace.",
            ),
            Attribute::ProcessCommand => (String, "Its command as the kernel keeps it: at most 15 bytes."),
            Attribute::ErrorType => (String, "Of a failed attempt: the kernel's errno, such as `EBUSY`."),
            Attribute::MetricOverflow => {
                (Bool, "True on the one series that takes what exceeds `max_series`.")
            }
        };
        Described { name: self.name().to_owned(), kind, text }
    }
}
