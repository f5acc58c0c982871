//! Neither reading an event of a recording nor decoding it nor making a flow record of it allocates memory.

#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "support/counting.rs"]
mod counting;

use std::hint::black_box;

use counting::allocations_in;
use otel_tcpretrans_pipeline::flow::flow_record;
use otel_tcpretrans_source::recording::Reader;
use otel_tcpretrans_source::wire;

/// From a real kernel; the test `replay` says how it is made.
const RECORDING: &[u8] = include_bytes!("../../../tests/replay/retransmits.otr");

/// The flow record of the next event.
fn next_record(reader: &mut Reader<&[u8]>) -> bool {
    let Some(event) = reader.next_event().unwrap() else { return false };
    black_box(flow_record(&wire::decode(event.bytes, event.wall_offset_ns).unwrap()).unwrap());
    true
}

#[test]
fn an_event_becomes_a_flow_record_without_an_allocation() {
    assert!(allocations_in(|| drop(black_box(Box::new(7)))) == 1, "they are not counted");
    let mut reader = Reader::new(RECORDING).unwrap();
    assert!(next_record(&mut reader)); // makes room for an event; the others come to the same place
    let mut records = 0;
    let allocations = allocations_in(|| {
        while next_record(&mut reader) {
            records += 1;
        }
    });
    assert!(records > 20, "{records}");
    assert_eq!(allocations, 0, "of {records} events");
}
