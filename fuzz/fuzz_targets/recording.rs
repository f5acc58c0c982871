//! Reads any bytes as a recording, up to the tear, or refuses them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otel_tcpretrans_source::decode;
use otel_tcpretrans_source::recording::Reader;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = Reader::new(bytes) else { return };
    while let Ok(Some(event)) = reader.next_event() {
        let _ = decode(event.bytes, event.wall_offset_ns);
    }
});
