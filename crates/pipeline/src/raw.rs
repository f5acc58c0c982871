//! What a receiver hands over: raw events, in the kernel's own numbers, copied and owned, and gaps between them.

/// An item of a receiver's channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw {
    /// A retransmission that was seen.
    Event(RawEvent),
    /// Retransmissions that were counted and not seen.
    Gap(RawGap),
}

impl From<RawEvent> for Raw {
    fn from(event: RawEvent) -> Raw {
        Raw::Event(event)
    }
}

impl From<RawGap> for Raw {
    fn from(gap: RawGap) -> Raw {
        Raw::Gap(gap)
    }
}

/// One retransmission as the kernel showed it, before anything is made of it.
///
/// Numbers are the kernel's (`include/net/tcp.h`, `include/net/tcp_states.h`, `include/linux/socket.h`, Linux 6.18).
/// `None` says that this kernel or this hook could not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// Time of the retransmission on the boot-time clock, in ns (`bpf_ktime_get_boot_ns`).
    pub boot_time_ns: u64,
    /// Wall clock minus boot-time clock, in ns, as the receiver last sampled it.
    pub wall_offset_ns: i64,
    /// The CPU that saw the event; with `kind` and `sequence` the event's identity within one receiver start.
    pub cpu: u32,
    /// Number of this event on its CPU and of its kind, from 0, counted in the kernel before any output is tried.
    pub sequence: u64,
    /// What the kernel sent again.
    pub kind: RawKind,
    /// Why, as the receiver has found out; `ca_state` and `pending_timer` are information.
    pub reason: RawReason,
    /// `sk_family`: `AF_INET` (2) or `AF_INET6` (10); anything else is counted as an unknown family.
    pub family: u16,
    /// Local address, network order; an IPv4 address in the first four bytes when `family` is `AF_INET`.
    pub local_address: [u8; 16],
    /// Peer address, as `local_address`.
    pub peer_address: [u8; 16],
    /// Local port, host order.
    pub local_port: u16,
    /// Peer port, host order.
    pub peer_port: u16,
    /// `sk_state`, one of the kernel's `TCP_*` states (1 to 13).
    pub state: u8,
    /// TCP header flags of the segment, bytes 12 and 13 without the data offset (RFC 9293, 3.1; RFC 9768 for AE).
    pub tcp_flags: u16,
    /// Sequence number of the first byte sent again.
    pub tcp_sequence: u32,
    /// TCP payload of the skb, in bytes.
    pub payload_bytes: u32,
    /// Segments by which the kernel's own count (RetransSegs) moved for this socket since its last event. More than the
    /// skb has where an earlier event was not seen, 0 where the attempt failed before the kernel counted it.
    pub segments: u32,
    /// Segments of this skb on the wire (`tcp_skb_pcount`), at least 1.
    pub skb_segments: u32,
    /// `icsk_ca_state`: Open 0, Disorder 1, CWR 2, Recovery 3, Loss 4.
    pub ca_state: u8,
    /// `icsk_pending`: none 0, retransmit 1, zero window probe 3, tail loss probe 5, reordering 6.
    pub pending_timer: u8,
    /// Smoothed round trip time, in µs (`srtt_us >> 3`); 0 before the first sample.
    pub srtt_us: u32,
    /// Congestion window, in segments.
    pub cwnd: u32,
    /// Cached effective mss, in bytes.
    pub mss: u32,
    /// Segments retransmitted over the socket's whole life, this one included when it succeeded (`total_retrans`).
    pub total_retransmits: u32,
    /// What the attempt ended with: 0, an errno below zero, or above zero a `NET_XMIT_` code. `None` where the hook fires
    /// for successes only.
    pub err: Option<i32>,
    /// Socket cookie, unique on this host until reboot.
    pub socket_cookie: Option<u64>,
    /// cgroup v2 id of the socket's owner.
    pub cgroup_id: Option<u64>,
    /// Inode of the socket's network namespace.
    pub netns_inode: Option<u32>,
}

/// What the kernel sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RawKind {
    /// A segment of the retransmit queue (`__tcp_retransmit_skb`).
    Segment,
    /// The SYN-ACK of a connection request (`tcp_rtx_synack`).
    SynAck,
    /// Segments of a socket that no event showed, found when the socket ended (`tcp_destroy_sock`). There is no skb: flags,
    /// sequence number and payload are 0, and the reason is unknown.
    Unseen,
}

/// Why the kernel retransmitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RawReason {
    /// It can't be told.
    Unknown,
    /// Recovery: what TCPFastRetrans counts.
    Fast,
    /// A tail loss probe.
    TailLossProbe,
    /// The retransmission timer's own.
    Timeout,
    /// The slow start after a timeout: what TCPSlowStartRetrans counts.
    SlowStart,
    /// A client's handshake.
    Syn,
    /// A server's handshake.
    SynAck,
}

/// Retransmissions that the kernel side counted and whose events did not come, of one IP version and reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawGap {
    /// When the gap was found, ns since the Unix epoch.
    pub time_unix_nano: u64,
    /// IPv6; an IPv4-mapped peer is IPv4.
    pub ipv6: bool,
    /// Why the kernel retransmitted.
    pub reason: RawReason,
    /// Retransmissions, those included that the kernel failed to send.
    pub events: u64,
    /// Segments, as the kernel counted them.
    pub segments: u64,
    /// TCP payload of the events that did not fail, in bytes.
    pub bytes: u64,
    /// Events that the kernel failed to send.
    pub failures: u64,
}
