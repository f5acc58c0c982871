//! On its whole way, from a recording to the backend, a record takes next to no allocation.

#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

#[path = "support/counting.rs"]
mod counting;
#[path = "../../../benches/recording/mod.rs"]
mod recording;
#[path = "../../../benches/sink/mod.rs"]
mod sink;
#[path = "support/way.rs"]
mod way;

use otel_tcpretrans_exporters::otlp::Compression;
use otel_tcpretrans_pipeline::books::Signal;

/// What batches, requests and wakeups take, shared by their records.
const LIMIT: f64 = 0.05;

#[test]
#[ignore = "the encoder takes allocations for each record"]
fn a_record_takes_next_to_no_allocation_on_its_whole_way() {
    let way = way::Way::new();
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let allocations = way.allocations_per_record(&Signal::ALL, compression);
        assert!(allocations < LIMIT, "{allocations} per record, {compression:?}");
    }
}
