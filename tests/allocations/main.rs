//! On its whole way, from a recording to the backend, a record takes next to no allocation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

#[path = "../../benches/end_to_end/helper.rs"]
#[allow(dead_code)] // the bench `end_to_end` uses more of it
mod helper;
#[path = "../../benches/recording/mod.rs"]
mod recording;
#[path = "../../benches/sink/mod.rs"]
mod sink;
#[path = "../../benches/way/mod.rs"]
mod way;

use libtest_mimic::{Arguments, Trial};
use otel_tcpretrans_exporters::otlp::Compression;
use otel_tcpretrans_pipeline::books::Signal;

/// What batches, requests and wakeups take, shared by their records.
const LIMIT: f64 = 0.05;

fn main() {
    if helper::play() {
        return;
    }
    let name = "a_record_takes_next_to_no_allocation_on_its_whole_way";
    let trials = vec![Trial::test(name, || {
        next_to_none();
        Ok(())
    })];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn next_to_none() {
    let way = way::Way::new();
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let allocations = way.allocations_per_record(&Signal::ALL, compression);
        println!("    {allocations:.4} allocations per record, {compression:?}");
        assert!(allocations > 0.0, "allocations are not counted");
        assert!(allocations < LIMIT, "{allocations} per record, {compression:?}");
    }
}
