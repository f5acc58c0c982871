//! Decodes any bytes as an event. The result is a record or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otel_tcpretrans_source::decode;

fuzz_target!(|bytes: &[u8]| {
    let _ = decode(bytes, i64::MAX).map(|record| record.attributes().count());
});
