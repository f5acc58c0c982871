//! The wire's bytes -> raw event. The layout is bpf/wire.h's, seen through the skeleton; nothing is typed again.

use std::mem::{offset_of, size_of};

use otel_tcpretrans_pipeline::raw::{RawEvent, RawKind, RawReason};

use crate::skeleton::types::{
    wire_config, wire_counters, wire_event, wire_kind, wire_reason, wire_unknown, wire_version,
};

// The twins of the assertions in bpf/wire.h: both compilers saw the same layout.
const _: () = assert!(size_of::<wire_event>() == 128);
const _: () = assert!(size_of::<wire_counters>() == 608);
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

/// The number that the wire has for a reason; one that this program does not know is unknown.
pub(crate) fn reason(number: u8) -> RawReason {
    const FAST: u32 = wire_reason::REASON_FAST.0;
    const TAIL_LOSS_PROBE: u32 = wire_reason::REASON_TAIL_LOSS_PROBE.0;
    const TIMEOUT: u32 = wire_reason::REASON_TIMEOUT.0;
    const SLOW_START: u32 = wire_reason::REASON_SLOW_START.0;
    const SYN: u32 = wire_reason::REASON_SYN.0;
    const SYNACK: u32 = wire_reason::REASON_SYNACK.0;
    match u32::from(number) {
        FAST => RawReason::Fast,
        TAIL_LOSS_PROBE => RawReason::TailLossProbe,
        TIMEOUT => RawReason::Timeout,
        SLOW_START => RawReason::SlowStart,
        SYN => RawReason::Syn,
        SYNACK => RawReason::SynAck,
        _ => RawReason::Unknown,
    }
}

/// Copies an event out of a buffer and makes a raw event of it. `wall_offset_ns` is wall time minus boot time, in ns.
///
/// # Errors
/// Says why the bytes are no event.
pub fn decode(bytes: &[u8], wall_offset_ns: i64) -> Result<RawEvent, WireError> {
    raw_event(&read(bytes)?, wall_offset_ns)
}

/// Copies an event out of a buffer. A perf record is padded to 8 bytes and starts at any address; more bytes than
/// an event are fine.
pub(crate) fn read(bytes: &[u8]) -> Result<wire_event, WireError> {
    if bytes.len() < size_of::<wire_event>() {
        return Err(WireError::Truncated(bytes.len()));
    }
    // SAFETY: the slice is at least as long as wire_event, which holds integers only, so that any bytes are a valid
    // value; read_unaligned asks for no alignment.
    Ok(unsafe { bytes.as_ptr().cast::<wire_event>().read_unaligned() })
}

/// The wire's event in the pipeline's words.
pub(crate) fn raw_event(event: &wire_event, wall_offset_ns: i64) -> Result<RawEvent, WireError> {
    const SEGMENT: u32 = wire_kind::KIND_SEGMENT.0;
    const SYNACK: u32 = wire_kind::KIND_SYNACK.0;
    const UNSEEN: u32 = wire_kind::KIND_UNSEEN.0;
    let kind = match u32::from(event.kind) {
        SEGMENT => RawKind::Segment,
        SYNACK => RawKind::SynAck,
        UNSEEN => RawKind::Unseen,
        _ => return Err(WireError::UnknownKind(event.kind)),
    };
    let knows = |unknown: wire_unknown| event.unknown & unknown.0 == 0;
    Ok(RawEvent {
        boot_time_ns: event.boot_time_ns,
        wall_offset_ns,
        cpu: event.cpu,
        sequence: event.sequence,
        kind,
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
        reason: reason(event.reason),
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
}
