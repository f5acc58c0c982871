//! What is known about one connection, about its socket and about the segment that was sent again.

use std::net::SocketAddr;
use std::time::Duration;

use strum::{EnumString, IntoStaticStr, VariantNames};

use super::flags::TcpFlags;

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The socket's own address and port. An IPv4-mapped IPv6 address is here as IPv4.
    pub local: SocketAddr,
    /// The other side's address and port, in the same form as `local`. Its family is the record's IP version.
    pub peer: SocketAddr,
    /// State of the connection.
    pub state: TcpState,
    /// Inode of the socket's network namespace.
    pub netns_inode: Option<u32>,
    /// cgroup v2 id of the socket's owner.
    pub cgroup_id: Option<u64>,
    /// Socket cookie, unique on this host until reboot.
    pub socket_cookie: Option<u64>,
}

/// The skb that was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Header flags.
    pub flags: TcpFlags,
    /// Sequence number of the first byte.
    pub sequence: u32,
    /// TCP payload, in bytes. A failed attempt has a payload, too.
    pub payload_bytes: u32,
    /// The errno (above zero) with which the kernel failed to send it; `None` if it was sent.
    pub errno: Option<i32>,
}

/// The socket's TCP values at the moment of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSample {
    /// Smoothed round trip time; `None` before the first measurement.
    pub rtt: Option<Duration>,
    /// Congestion window, in segments.
    pub cwnd: u32,
    /// Maximum segment size in force, in bytes.
    pub mss: u32,
    /// Number of segments that the socket has retransmitted over its whole life.
    pub total_retransmits: u32,
    /// Number of segments with data that the socket has sent over its whole life, those sent again included (RFC 4898,
    /// tcpEStatsPerfDataSegsOut; `data_segs_out` of the kernel).
    pub segments_sent: u32,
    /// Number of duplicate segments of which the peer has told by D-SACK (RFC 2883): these were sent again for nothing.
    pub dsack_dups: u32,
}

/// State of a TCP connection: the values of the semantic convention `network.connection.state`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)] // the names are those of RFC 9293, section 3.3.2
pub enum TcpState {
    Established,
    SynSent,
    SynReceived,
    #[strum(serialize = "fin_wait_1")]
    FinWait1,
    #[strum(serialize = "fin_wait_2")]
    FinWait2,
    TimeWait,
    /// RFC 9293's CLOSED. Receivers also use it for a state that they do not know.
    Closed,
    CloseWait,
    LastAck,
    Listen,
    Closing,
}

#[cfg(test)]
mod tests {
    //! The names of the states.

    #![allow(clippy::unwrap_used)]

    use super::TcpState;

    #[test]
    fn states_have_the_names_of_the_semantic_convention() {
        let word = |state: TcpState| <&str>::from(state);
        assert_eq!(word(TcpState::FinWait1), "fin_wait_1");
        assert_eq!(word(TcpState::FinWait2), "fin_wait_2");
        assert_eq!(word(TcpState::SynReceived), "syn_received");
        assert_eq!("close_wait".parse::<TcpState>().unwrap(), TcpState::CloseWait);
    }
}
