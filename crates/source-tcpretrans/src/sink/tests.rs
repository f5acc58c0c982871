//! An event that can't become a record: counted once, and in no gap.

#![allow(clippy::unwrap_used)]

use std::mem::{offset_of, size_of};

use otel_tcpretrans_pipeline::chunk;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::param::page_size;

use super::*;
use crate::counters::KINDS;
use crate::skeleton::types::{wire_class, wire_counters, wire_lost};

/// The counters of CPU 0: two events of the reason 0 over IPv4, of 7 and 5 segments, of which the second was lost.
fn counters() -> Counters {
    let memory = memfd_create("counters", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&memory, (KINDS * size_of::<wire_counters>()).next_multiple_of(page_size()) as u64).unwrap();
    let lost = offset_of!(wire_counters, lost);
    let class = offset_of!(wire_counters, classes);
    for (offset, number) in [
        (offset_of!(wire_counters, events), 2),
        (offset_of!(wire_counters, finished), 2),
        (lost + offset_of!(wire_lost, events), 1),
        (lost + offset_of!(wire_lost, segments), 5),
        (class + offset_of!(wire_class, events), 2),
        (class + offset_of!(wire_class, segments), 7 + 5),
    ] {
        rustix::io::pwrite(&memory, &u64::to_ne_bytes(number), offset as u64).unwrap();
    }
    Counters::map(&memory, KINDS).unwrap()
}

#[test]
fn an_event_of_an_unknown_family_is_counted_with_its_segments_and_is_in_no_gap() {
    let counters = counters();
    let counting = Arc::<LiveCounts>::default();
    let (out, mut records) = chunk::channel(8);
    let sink = Sink::new(out, Arc::clone(&counting), None, KINDS);
    sink.look(&counters);
    sink.event(&wire_event { family: 1, segments: 7, ..wire_event::default() });
    assert!(sink.deliver_gap());

    let gap = &records.try_recv().unwrap()[0];
    assert_eq!((gap.identity, gap.amounts.events, gap.amounts.segments), (None, 1, 5));
    assert!(records.try_recv().is_none(), "nothing else");
    let counts = counting.counts();
    let unknown = counts.unobserved.iter().find(|unobserved| unobserved.reason == "unknown_family").unwrap();
    assert_eq!((unknown.place, unknown.events, unknown.segments), ("flow", 1, Some(7)));
}

#[test]
fn bytes_that_are_no_event_are_counted_by_reason() {
    let counting = Arc::<LiveCounts>::default();
    let (out, mut records) = chunk::channel(8);
    let sink = Sink::new(out, Arc::clone(&counting), None, KINDS);
    sink.record(&[0; 5]);
    sink.event(&wire_event { kind: 9, family: 2, ..wire_event::default() });
    assert!(records.try_recv().is_none());
    let counts = counting.counts();
    let of = |reason| counts.unobserved.iter().find(|u| u.reason == reason).map(|u| (u.place, u.events));
    assert_eq!((of("truncated"), of("unknown_kind")), (Some(("decode", 1)), Some(("decode", 1))));
}
