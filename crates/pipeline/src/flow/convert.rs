//! What a receiver hands over -> records: addresses, wall-clock time, flags, reason.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use nix::errno::Errno;

use super::reason::reason;
use super::{FlowRecord, Gap, NetworkType, RecordIdentity, TcpFlags, TcpState};
use crate::raw::{RawEvent, RawGap, RawReason};

/// `AF_INET` and `AF_INET6` (include/linux/socket.h).
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
/// `TCP_NEW_SYN_RECV` (include/net/tcp_states.h): a request socket, SYN-RECEIVED to everybody else.
const TCP_NEW_SYN_RECV: u8 = 12;

/// Why an event can't become a flow record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// Neither IPv4 nor IPv6.
    #[error("unknown address family {0}")]
    UnknownFamily(u16),
}

impl ConvertError {
    /// All names that [`ConvertError::reason`] gives.
    pub const REASONS: [&'static str; 1] = ["unknown_family"];

    /// The reason's name in the books.
    pub fn reason(self) -> &'static str {
        match self {
            ConvertError::UnknownFamily(_) => "unknown_family",
        }
    }
}

/// Makes a flow record of a raw event.
///
/// # Errors
/// [`ConvertError::UnknownFamily`] where the addresses can't be read.
pub fn flow_record(event: &RawEvent) -> Result<FlowRecord, ConvertError> {
    let (local, peer) = addresses(event)?;
    let (retransmit_type, handshake_role) = reason(event.reason);
    Ok(FlowRecord {
        identity: RecordIdentity { cpu: event.cpu, kind: event.kind, sequence: event.sequence },
        time_unix_nano: event.boot_time_ns.saturating_add_signed(event.wall_offset_ns),
        local: SocketAddr::new(local, event.local_port),
        peer: SocketAddr::new(peer, event.peer_port),
        state: state(event.state),
        flags: TcpFlags(event.tcp_flags),
        retransmit_type,
        slow_start: event.reason == RawReason::SlowStart,
        handshake_role,
        segments: event.segments,
        bytes: event.payload_bytes,
        sequence: event.tcp_sequence,
        rtt: (event.srtt_us > 0).then(|| Duration::from_micros(event.srtt_us.into())),
        cwnd: event.cwnd,
        mss: event.mss,
        total_retransmits: event.total_retransmits,
        netns_inode: event.netns_inode,
        cgroup_id: event.cgroup_id,
        socket_cookie: event.socket_cookie,
        errno: event.err.and_then(errno),
    })
}

/// The kernel's `err` as an errno. A positive one is the word of a queueing discipline that dropped the packet on this host
/// (`NET_XMIT_DROP`), and 1 as an errno would be EPERM, a firewall's; the kernel itself makes ENOBUFS of it
/// (`net_xmit_errno`, include/linux/netdevice.h).
fn errno(err: i32) -> Option<i32> {
    match err {
        0 => None,
        1.. => Some(Errno::ENOBUFS as i32),
        _ => Some(err.wrapping_abs()),
    }
}

/// Makes a gap's record of a raw gap.
impl From<RawGap> for Gap {
    fn from(gap: RawGap) -> Gap {
        let (retransmit_type, handshake_role) = reason(gap.reason);
        Gap {
            time_unix_nano: gap.time_unix_nano,
            network_type: if gap.ipv6 { NetworkType::Ipv6 } else { NetworkType::Ipv4 },
            retransmit_type,
            slow_start: gap.reason == RawReason::SlowStart,
            handshake_role,
            events: gap.events,
            segments: gap.segments,
            bytes: gap.bytes,
            failures: gap.failures,
        }
    }
}

fn addresses(event: &RawEvent) -> Result<(IpAddr, IpAddr), ConvertError> {
    match event.family {
        AF_INET => Ok((ipv4(event.local_address).into(), ipv4(event.peer_address).into())),
        AF_INET6 => {
            let (local, peer) = (Ipv6Addr::from(event.local_address), Ipv6Addr::from(event.peer_address));
            Ok(match (local.to_ipv4_mapped(), peer.to_ipv4_mapped()) {
                // A dual-stack socket talking IPv4; its own address is `::` until it is bound.
                (local, Some(peer)) => (local.unwrap_or(Ipv4Addr::UNSPECIFIED).into(), peer.into()),
                _ => (local.into(), peer.into()),
            })
        }
        family => Err(ConvertError::UnknownFamily(family)),
    }
}

fn ipv4(address: [u8; 16]) -> Ipv4Addr {
    let [a, b, c, d, ..] = address;
    Ipv4Addr::new(a, b, c, d)
}

fn state(state: u8) -> TcpState {
    match state {
        TCP_NEW_SYN_RECV => TcpState::SynReceived,
        state => TcpState::from_repr(state).unwrap_or(TcpState::Closed),
    }
}

#[cfg(test)]
mod tests;
