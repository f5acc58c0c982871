//! Any bytes as an event: decoded and made a flow record, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otel_tcpretrans_pipeline::flow::flow_record;
use otel_tcpretrans_source::wire;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(event) = wire::decode(bytes, i64::MAX) {
        let _ = flow_record(&event);
    }
});
