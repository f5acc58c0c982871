//! Any bytes as a recording: read up to the tear, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otel_tcpretrans_pipeline::flow::flow_record;
use otel_tcpretrans_source::recording::Reader;
use otel_tcpretrans_source::wire;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = Reader::new(bytes) else { return };
    while let Ok(Some(event)) = reader.next_event() {
        if let Ok(event) = wire::decode(event.bytes, event.wall_offset_ns) {
            let _ = flow_record(&event);
        }
    }
});
