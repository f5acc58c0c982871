//! The wire's event -> record: addresses, wall-clock time, state, flags, reason.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use otel_tcpretrans_pipeline::record::{
    Amounts, Class, Command, Flow, HandshakeRole, Identity, NetworkType, Owner, Record, RetransmitType,
    Segment, TcpFlags, TcpSample, TcpState,
};
use rustix::io::Errno;

use crate::skeleton::types::{wire_event, wire_kind, wire_reason, wire_unknown};
use crate::wire;

/// Why bytes can't become a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Fewer bytes than an event has.
    #[error("{0} bytes are shorter than an event")]
    Truncated(usize),
    /// A kind that this program does not know.
    #[error("unknown kind of event {0}")]
    UnknownKind(u8),
    /// Neither IPv4 nor IPv6, so that the addresses can't be read.
    #[error("unknown address family {family}")]
    UnknownFamily {
        /// `sk_family`.
        family: u16,
        /// Segments of the event.
        segments: u32,
    },
}

/// Makes a record of the bytes of an event. `wall_offset_ns` is wall time minus boot time, in ns. Allocates nothing.
///
/// # Errors
/// Says why the bytes can't become a record.
pub fn decode(bytes: &[u8], wall_offset_ns: i64) -> Result<Record, DecodeError> {
    let event = wire::read(bytes).ok_or(DecodeError::Truncated(bytes.len()))?;
    record(&event, wall_offset_ns)
}

/// Makes a record of an event, as [`decode`] does.
pub(crate) fn record(event: &wire_event, wall_offset_ns: i64) -> Result<Record, DecodeError> {
    const SEGMENT: u32 = wire_kind::KIND_SEGMENT.0;
    const SYNACK: u32 = wire_kind::KIND_SYNACK.0;
    const UNSEEN: u32 = wire_kind::KIND_UNSEEN.0;
    const UNSEEN_AT_CLOSE: u32 = wire_kind::KIND_UNSEEN_AT_CLOSE.0;
    const INTERRUPTING: u32 = wire_kind::KIND_SEGMENT_INTERRUPTING.0;
    let has_skb = match u32::from(event.kind) {
        SEGMENT | SYNACK | INTERRUPTING => true,
        UNSEEN | UNSEEN_AT_CLOSE => false,
        _ => return Err(DecodeError::UnknownKind(event.kind)),
    };
    let (local, peer) = addresses(event)?;
    let knows = |unknown: wire_unknown| event.unknown & unknown.0 == 0;
    let errno = knows(wire_unknown::UNKNOWN_ERR).then(|| errno(event.err)).flatten();
    let segment = has_skb.then_some(Segment {
        flags: TcpFlags(event.tcp_flags),
        sequence: event.tcp_sequence,
        payload_bytes: event.payload_bytes,
        errno,
    });
    let segments = event.segments.into();
    Ok(Record {
        time_unix_nano: event.boot_time_ns.saturating_add_signed(wall_offset_ns),
        class: class(peer.is_ipv6(), event.reason),
        amounts: match segment {
            Some(Segment { errno: None, payload_bytes, .. }) => {
                Amounts { events: 1, segments, bytes: payload_bytes.into(), failures: 0 }
            }
            Some(_) => Amounts { events: 1, segments, bytes: 0, failures: 1 },
            // The end of a socket is no retransmission of its own.
            None => Amounts { segments, ..Amounts::default() },
        },
        identity: Some(Identity { cpu: event.cpu, stream: event.kind, sequence: event.sequence }),
        flow: Some(Flow {
            local: SocketAddr::new(local, event.local_port),
            peer: SocketAddr::new(peer, event.peer_port),
            state: state(event.state),
            netns_inode: knows(wire_unknown::UNKNOWN_NETNS).then_some(event.netns_inode),
            cgroup_id: knows(wire_unknown::UNKNOWN_CGROUP).then_some(event.cgroup_id),
            socket_cookie: knows(wire_unknown::UNKNOWN_COOKIE).then_some(event.socket_cookie),
        }),
        segment,
        tcp: Some(TcpSample {
            rtt: (event.srtt_us > 0).then(|| Duration::from_micros(event.srtt_us.into())),
            cwnd: event.cwnd,
            mss: event.mss,
            total_retransmits: event.total_retransmits,
            segments_sent: event.segments_sent,
            dsack_dups: event.dsack_dups,
        }),
        owner: knows(wire_unknown::UNKNOWN_OWNER)
            .then(|| Owner { pid: event.owner_pid, command: Command::from_kernel(event.owner_command) }),
        local_attributes: None,
        peer_attributes: None,
    })
}

/// Makes the record of a gap: retransmissions that the kernel side counted and whose events did not come. `reason` is the
/// wire's number.
pub(crate) fn gap(ipv6: bool, reason: u8, amounts: Amounts, time_unix_nano: u64) -> Record {
    Record {
        time_unix_nano,
        class: class(ipv6, reason),
        amounts,
        identity: None,
        flow: None,
        segment: None,
        tcp: None,
        owner: None,
        local_attributes: None,
        peer_attributes: None,
    }
}

/// IP version and reason in the words of the attributes. A reason that this program does not know is unknown.
fn class(ipv6: bool, reason: u8) -> Class {
    const FAST: u32 = wire_reason::REASON_FAST.0;
    const TAIL_LOSS_PROBE: u32 = wire_reason::REASON_TAIL_LOSS_PROBE.0;
    const TIMEOUT: u32 = wire_reason::REASON_TIMEOUT.0;
    const SLOW_START: u32 = wire_reason::REASON_SLOW_START.0;
    const SYN: u32 = wire_reason::REASON_SYN.0;
    const SYNACK: u32 = wire_reason::REASON_SYNACK.0;
    let (retransmit_type, handshake_role, slow_start) = match u32::from(reason) {
        FAST => (RetransmitType::Fast, None, None),
        TAIL_LOSS_PROBE => (RetransmitType::TailLossProbe, None, None),
        TIMEOUT => (RetransmitType::Timeout, None, Some(false)),
        SLOW_START => (RetransmitType::Timeout, None, Some(true)),
        SYN => (RetransmitType::Handshake, Some(HandshakeRole::Client), None),
        SYNACK => (RetransmitType::Handshake, Some(HandshakeRole::Server), None),
        _ => (RetransmitType::Unknown, None, None),
    };
    let network_type = if ipv6 { NetworkType::Ipv6 } else { NetworkType::Ipv4 };
    Class { network_type, retransmit_type, handshake_role, slow_start }
}

/// The kernel's `err` as an errno. A positive one is not an errno: it says that a queueing discipline of this host dropped
/// the packet (`NET_XMIT_DROP` is 1, which as an errno would be EPERM, a firewall's). The kernel itself turns it into ENOBUFS
/// (`net_xmit_errno`, include/linux/netdevice.h).
fn errno(err: i32) -> Option<i32> {
    match err {
        0 => None,
        1.. => Some(Errno::NOBUFS.raw_os_error()),
        _ => Some(err.wrapping_abs()),
    }
}

fn addresses(event: &wire_event) -> Result<(IpAddr, IpAddr), DecodeError> {
    /// include/linux/socket.h
    const AF_INET: u16 = 2;
    const AF_INET6: u16 = 10;
    match event.family {
        AF_INET => Ok((ipv4(event.local_address).into(), ipv4(event.peer_address).into())),
        AF_INET6 => {
            let (local, peer) = (Ipv6Addr::from(event.local_address), Ipv6Addr::from(event.peer_address));
            Ok(match (local.to_ipv4_mapped(), peer.to_ipv4_mapped()) {
                // A dual-stack socket that talks IPv4. Its own address is `::` until it is bound.
                (local, Some(peer)) => (local.unwrap_or(Ipv4Addr::UNSPECIFIED).into(), peer.into()),
                _ => (local.into(), peer.into()),
            })
        }
        family => Err(DecodeError::UnknownFamily { family, segments: event.segments }),
    }
}

fn ipv4(address: [u8; 16]) -> Ipv4Addr {
    let [a, b, c, d, ..] = address;
    Ipv4Addr::new(a, b, c, d)
}

/// The kernel's number of a state (include/net/tcp_states.h). A state that never sends is closed.
fn state(state: u8) -> TcpState {
    match state {
        1 => TcpState::Established,
        2 => TcpState::SynSent,
        // 12 is TCP_NEW_SYN_RECV: a request socket, which everybody else calls SYN-RECEIVED.
        3 | 12 => TcpState::SynReceived,
        4 => TcpState::FinWait1,
        5 => TcpState::FinWait2,
        6 => TcpState::TimeWait,
        8 => TcpState::CloseWait,
        9 => TcpState::LastAck,
        10 => TcpState::Listen,
        11 => TcpState::Closing,
        _ => TcpState::Closed, // TCP_CLOSE is 7
    }
}

#[cfg(test)]
mod tests;
