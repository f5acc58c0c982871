//! The metrics that `aggregate` makes, and what a record adds to each.

use crate::metric::{Descriptor, Kind};
use crate::record::{Amounts, Record};

/// Segments retransmitted.
pub static RETRANSMITS: Descriptor = Descriptor {
    name: "system.network.tcp.retransmits",
    unit: "{segment}",
    kind: Kind::MonotonicSum,
    description: "TCP segments retransmitted, as the kernel's RetransSegs counts them",
};

/// skbs retransmitted. Under segmentation offload (GSO) one skb is many segments.
pub static EVENTS: Descriptor = Descriptor {
    name: "system.network.tcp.retransmit.events",
    unit: "{event}",
    kind: Kind::MonotonicSum,
    description: "TCP retransmissions: skbs, each of one or more segments",
};

/// Payload bytes retransmitted.
pub static IO: Descriptor = Descriptor {
    name: "system.network.tcp.retransmit.io",
    unit: "By",
    kind: Kind::MonotonicSum,
    description: "TCP payload bytes retransmitted",
};

/// Attempts that the kernel itself failed.
pub static FAILURES: Descriptor = Descriptor {
    name: "system.network.tcp.retransmit.failures",
    unit: "{event}",
    kind: Kind::MonotonicSum,
    description: "TCP retransmissions that the kernel attempted and failed to send",
};

/// All of them, in the order of their points in a report.
pub(super) const METRICS: [&Descriptor; 4] = [&RETRANSMITS, &EVENTS, &IO, &FAILURES];

/// A count for each of [`METRICS`]; `None` where there was nothing of the kind that the metric counts.
pub(super) type Counts = [Option<u64>; METRICS.len()];

/// What a record adds.
pub(super) fn counts_of(record: &Record) -> Counts {
    // Segments of a failed attempt count too where the kernel counted them: they have its error.type.
    let Amounts { segments, bytes, failures, .. } = record.amounts;
    let events = record.amounts.sent();
    [
        (events + segments > 0).then_some(segments),
        (events > 0).then_some(events),
        (events + bytes > 0).then_some(bytes),
        (failures > 0).then_some(failures),
    ]
}
