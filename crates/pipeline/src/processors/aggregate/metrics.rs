//! The metrics that `aggregate` makes, and what a record adds to each.

use crate::metric::{Descriptor, Kind};
use crate::record::{Amounts, Record};

/// Number of segments retransmitted.
pub static RETRANSMITS: Descriptor = Descriptor {
    name: "system.network.tcp.retransmits",
    unit: "{segment}",
    kind: Kind::MonotonicSum,
    description: "TCP segments retransmitted, as the kernel's RetransSegs counts them",
};

/// Number of skbs retransmitted. Under segmentation offload (GSO) one skb is many segments.
pub static EVENTS: Descriptor = Descriptor {
    name: "system.network.tcp.retransmit.events",
    unit: "{event}",
    kind: Kind::MonotonicSum,
    description: "TCP retransmissions: skbs, each of one or more segments",
};

/// Number of payload bytes retransmitted.
pub static IO: Descriptor = Descriptor {
    name: "system.network.tcp.retransmit.io",
    unit: "By",
    kind: Kind::MonotonicSum,
    description: "TCP payload bytes retransmitted",
};

/// Number of retransmissions that the kernel attempted and failed to send.
pub static FAILURES: Descriptor = Descriptor {
    name: "system.network.tcp.retransmit.failures",
    unit: "{event}",
    kind: Kind::MonotonicSum,
    description: "TCP retransmissions that the kernel attempted and failed to send",
};

/// Round-trip times of the connections that retransmitted, added up. Divided by [`EVENTS`] it is a mean. Only where it is
/// configured.
pub static RTT: Descriptor = Descriptor {
    name: "system.network.tcp.retransmit.rtt",
    unit: "s",
    kind: Kind::MonotonicTime,
    description: "Smoothed round-trip times of TCP connections, added up at each retransmission that was sent",
};

/// All metrics, in the order of their points in a report.
pub static METRICS: [&Descriptor; 5] = [&RETRANSMITS, &EVENTS, &IO, &FAILURES, &RTT];

/// An increment of each of [`METRICS`]; `None` if there was nothing that the metric could count.
pub(super) type Increments = [Option<u64>; METRICS.len()];

/// What a record adds to each metric. It adds to [`RTT`] only if that is configured.
pub(super) fn increments_of(record: &Record, with_rtt: bool) -> Increments {
    // Segments of a failed attempt count, too, if the kernel counted them. They are in the series of its error.type.
    let Amounts { segments, bytes, failures, .. } = record.amounts;
    let events = record.amounts.sent();
    let rtt = || {
        let rtt = record.tcp.filter(|_| with_rtt && events > 0)?.rtt?;
        // The kernel's is of 32 bits (tcp_sock.srtt_us), so this can't be cut off.
        Some(u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX).saturating_mul(events))
    };
    [
        (events + segments > 0).then_some(segments),
        (events > 0).then_some(events),
        (events + bytes > 0).then_some(bytes),
        (failures > 0).then_some(failures),
        rtt(),
    ]
}
