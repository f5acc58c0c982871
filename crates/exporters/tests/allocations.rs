//! Encoding allocates for each request and for nothing else: not for a record, and not for an attribute. In a file of its
//! own, since it needs a global allocator that counts.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)] // a test may fail

#[path = "../src/fixtures.rs"]
#[allow(dead_code)] // the unit tests use more of it
mod fixtures;

use allocation_counter::measure;
use otel_tcpretrans_exporters::otlp::{Encoder, Encoding};
use otel_tcpretrans_exporters::resource::Resource;
use otel_tcpretrans_pipeline::component::Batch;
use otel_tcpretrans_pipeline::delivery::{Compression, Encode};
use otel_tcpretrans_pipeline::record::Record;

const RECORDS: u64 = 10_000;
/// Per record.
const LIMIT: f64 = 0.02;

/// Records of each kind: with attributes of processors, over IPv6, failed, and a gap.
fn records() -> Vec<Record> {
    let kinds = [fixtures::record(1), fixtures::enriched(), fixtures::failed_syn(), fixtures::gap()];
    kinds.into_iter().cycle().take(RECORDS as usize).collect()
}

#[test]
fn encoding_allocates_per_request_only() {
    assert_eq!(
        measure(|| drop(std::hint::black_box(Box::new(7)))).count_total,
        1,
        "allocations are not counted"
    );
    let batch = Batch::Logs(records().into());
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let encoder = Encoder::new(&Resource::default(), &Encoding { compression, ..Encoding::default() });
        // The first batch and any later one.
        for _ in 0..2 {
            let mut encoded = None;
            let allocations = measure(|| encoded = Some(encoder.encode(&batch))).count_total;
            let encoded = encoded.expect("encoded");
            assert_eq!(encoded.requests.iter().map(|request| request.items).sum::<u64>(), RECORDS);
            assert!(allocations >= encoded.requests.len() as u64, "{allocations}");
            let per_record = allocations as f64 / RECORDS as f64;
            assert!(per_record < LIMIT, "{allocations} allocations for {RECORDS} records, {compression:?}");
        }
    }
}
