//! Reading an event of a recording, making a record of it and asking the record for its attributes allocates nothing.

#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "support/counting.rs"]
mod counting;

use std::hint::black_box;

use counting::allocations_in;
use otel_tcpretrans_pipeline::attribute::{Attribute, OwnedValue};
use otel_tcpretrans_source::decode;
use otel_tcpretrans_source::recording::Reader;

/// From a real kernel; the test `replay` says how it is made.
const RECORDING: &[u8] = include_bytes!("../../../tests/replay/retransmits.otr");

/// Makes the record of the next event, asks it for all that it says, and for what aggregation keeps of it.
fn next_record(reader: &mut Reader<&[u8]>) -> bool {
    let Some(event) = reader.next_event().unwrap() else { return false };
    let record = black_box(decode(event.bytes, event.wall_offset_ns).unwrap());
    assert!(record.attributes().count() > 10);
    for attribute in [Attribute::NetworkType, Attribute::PeerAddress, Attribute::Flags, Attribute::ErrorType]
    {
        black_box(record.get(&attribute.into()).map(OwnedValue::from));
    }
    true
}

#[test]
fn an_event_becomes_a_record_without_an_allocation() {
    assert!(allocations_in(|| drop(black_box(Box::new(7)))) == 1, "allocations are not counted");
    let mut reader = Reader::new(RECORDING).unwrap();
    assert!(next_record(&mut reader)); // the reader makes room for an event, and uses it for all that follow
    let mut records = 0;
    let allocations = allocations_in(|| {
        while next_record(&mut reader) {
            records += 1;
        }
    });
    assert!(records > 20, "{records}");
    assert_eq!(allocations, 0, "of {records} events");
}
