//! The wire's bytes -> raw event. The layout is bpf/wire.h's, seen through the skeleton; nothing is typed again.

use std::mem::{offset_of, size_of};

use otel_tcpretrans_pipeline::flow::TcpFlags;
use otel_tcpretrans_pipeline::raw::{RawEvent, RawKind, RawReason};

use crate::skeleton::types::{wire_config, wire_counters, wire_event, wire_kind, wire_unknown, wire_version};

// The twins of the assertions in bpf/wire.h: both compilers saw the same layout.
const _: () = assert!(size_of::<wire_event>() == 128);
const _: () = assert!(size_of::<wire_counters>() == 64);
const _: () = assert!(size_of::<wire_config>() == 24);
const _: () = assert!(offset_of!(wire_event, unknown) == 120);

/// Version of the wire: an event of another one can't be decoded.
pub const VERSION: u32 = wire_version::WIRE_VERSION.0;
/// Size of an event, in bytes.
pub const EVENT_SIZE: usize = size_of::<wire_event>();

/// Why bytes can't be an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Fewer bytes than an event has.
    #[error("a record of {0} bytes is shorter than an event")]
    Truncated(usize),
    /// A kind that this program does not know.
    #[error("unknown kind of event {0}")]
    UnknownKind(u8),
}

/// Copies an event out of a buffer. A perf record is padded to 8 bytes and starts at any address; more bytes than
/// an event are fine. `wall_offset_ns` is wall time minus boot time, in ns.
///
/// # Errors
/// Says why the bytes are no event.
pub fn decode(bytes: &[u8], wall_offset_ns: i64) -> Result<RawEvent, WireError> {
    if bytes.len() < size_of::<wire_event>() {
        return Err(WireError::Truncated(bytes.len()));
    }
    // SAFETY: the slice is at least as long as wire_event, which holds integers only, so that any bytes are a valid
    // value; read_unaligned asks for no alignment.
    let event = unsafe { bytes.as_ptr().cast::<wire_event>().read_unaligned() };
    raw_event(&event, wall_offset_ns)
}

fn raw_event(event: &wire_event, wall_offset_ns: i64) -> Result<RawEvent, WireError> {
    const SEGMENT: u32 = wire_kind::KIND_SEGMENT.0;
    const SYNACK: u32 = wire_kind::KIND_SYNACK.0;
    let kind = match u32::from(event.kind) {
        SEGMENT => RawKind::Segment,
        SYNACK => RawKind::SynAck,
        _ => return Err(WireError::UnknownKind(event.kind)),
    };
    let knows = |unknown: wire_unknown| event.unknown & unknown.0 == 0;
    Ok(RawEvent {
        boot_time_ns: event.boot_time_ns,
        wall_offset_ns,
        cpu: event.cpu,
        sequence: event.sequence,
        kind,
        reason: reason(kind, event),
        family: event.family,
        local_address: event.local_address,
        peer_address: event.peer_address,
        local_port: event.local_port,
        peer_port: event.peer_port,
        state: event.state,
        tcp_flags: event.tcp_flags,
        tcp_sequence: event.tcp_sequence,
        payload_bytes: event.payload_bytes,
        segments: event.segments,
        skb_segments: event.skb_segments,
        ca_state: event.ca_state,
        pending_timer: event.pending_timer,
        srtt_us: event.srtt_us,
        cwnd: event.cwnd,
        mss: event.mss,
        total_retransmits: event.total_retransmits,
        err: knows(wire_unknown::UNKNOWN_ERR).then_some(event.err),
        socket_cookie: knows(wire_unknown::UNKNOWN_COOKIE).then_some(event.socket_cookie),
        cgroup_id: knows(wire_unknown::UNKNOWN_CGROUP).then_some(event.cgroup_id),
        netns_inode: knows(wire_unknown::UNKNOWN_NETNS).then_some(event.netns_inode),
    })
}

/// `TCP_CA_Recovery` and `TCP_CA_Loss` of `enum tcp_ca_state` (include/uapi/linux/tcp.h).
const CA_RECOVERY: u8 = 3;
const CA_LOSS: u8 = 4;
/// `ICSK_TIME_LOSS_PROBE` (include/net/inet_connection_sock.h).
const TIMER_LOSS_PROBE: u8 = 5;

/// The reason of a retransmission, as far as the socket's state shows it.
///
/// From net/ipv4/tcp_timer.c and tcp_output.c, Linux 6.18: `tcp_retransmit_timer` enters Loss before it sends, and the
/// slow start after it stays there; `tcp_send_loss_probe` runs with the probe timer still pending, and only
/// outside Recovery and Loss (`tcp_schedule_loss_probe`); `tcp_xmit_retransmit_queue` sends in Recovery.
fn reason(kind: RawKind, event: &wire_event) -> RawReason {
    let flags = TcpFlags(event.tcp_flags);
    match (kind, event.ca_state, event.pending_timer) {
        (RawKind::SynAck, ..) => RawReason::SynAck,
        // A fast-open server retransmits its SYN-ACK from the child's own queue.
        _ if flags.contains(TcpFlags::SYN) && flags.contains(TcpFlags::ACK) => RawReason::SynAck,
        _ if flags.contains(TcpFlags::SYN) => RawReason::Syn,
        (_, CA_LOSS, _) => RawReason::Timeout,
        (_, CA_RECOVERY, _) => RawReason::Fast,
        (_, _, TIMER_LOSS_PROBE) => RawReason::TailLossProbe,
        _ => RawReason::Unknown,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn bytes(event: &wire_event) -> Vec<u8> {
        let start = std::ptr::from_ref(event).cast::<u8>();
        // SAFETY: wire_event has no padding (asserted by its size), so all of its bytes are initialised.
        unsafe { std::slice::from_raw_parts(start, size_of::<wire_event>()) }.to_vec()
    }

    fn event() -> wire_event {
        wire_event { segments: 3, err: -16, cgroup_id: 5, netns_inode: 7, ..wire_event::default() }
    }

    #[test]
    fn reads_at_any_alignment_and_with_padding() {
        let mut padded = vec![0xff; 3];
        padded.extend(bytes(&event()));
        padded.extend([0xff; 8]);
        let raw = decode(&padded[3..], -9).unwrap();
        assert_eq!((raw.segments, raw.err, raw.wall_offset_ns), (3, Some(-16), -9));
        assert_eq!((raw.cgroup_id, raw.netns_inode), (Some(5), Some(7)));
    }

    #[test]
    fn what_the_kernel_could_not_tell_is_none() {
        let unknown =
            wire_unknown::UNKNOWN_ERR.0 | wire_unknown::UNKNOWN_CGROUP.0 | wire_unknown::UNKNOWN_NETNS.0;
        let raw = decode(&bytes(&wire_event { unknown, ..event() }), 0).unwrap();
        assert_eq!((raw.err, raw.cgroup_id, raw.netns_inode), (None, None, None));
        assert_eq!(raw.socket_cookie, Some(0));
    }

    #[test]
    fn short_and_foreign_records_are_errors() {
        let whole = bytes(&event());
        for length in 0..whole.len() {
            assert_eq!(decode(&whole[..length], 0), Err(WireError::Truncated(length)));
        }
        let foreign = wire_event { kind: 9, ..event() };
        assert_eq!(decode(&bytes(&foreign), 0), Err(WireError::UnknownKind(9)));
    }
    #[test]
    fn congestion_state_and_timer_tell_segments_apart() {
        let of = |ca_state, pending_timer| {
            reason(RawKind::Segment, &wire_event { ca_state, pending_timer, ..event() })
        };
        assert_eq!((of(3, 1), of(4, 1)), (RawReason::Fast, RawReason::Timeout));
        assert_eq!(of(4, 5), RawReason::Timeout, "no probe is scheduled in Loss");
        assert_eq!(of(3, 5), RawReason::Fast, "nor in Recovery");
        for open in [0, 1, 2] {
            assert_eq!(of(open, 5), RawReason::TailLossProbe);
            for timer in [0, 1, 3, 6] {
                assert_eq!(of(open, timer), RawReason::Unknown, "{open} {timer}");
            }
        }
        assert_eq!(of(255, 255), RawReason::Unknown);
    }

    #[test]
    fn handshakes_whatever_the_congestion_state() {
        let of = |kind, tcp_flags| reason(kind, &wire_event { tcp_flags, ca_state: 4, ..event() });
        assert_eq!(of(RawKind::Segment, 0x002), RawReason::Syn);
        assert_eq!(of(RawKind::Segment, 0x0c2), RawReason::Syn, "with ECE and CWR");
        assert_eq!(of(RawKind::Segment, 0x012), RawReason::SynAck, "fast open");
        assert_eq!(of(RawKind::SynAck, 0), RawReason::SynAck);
    }
}
