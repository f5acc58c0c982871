//! How many allocations a record takes on its whole way, from a recording to the backend. It is here and not in the bench
//! `end_to_end` because the allocator that counts needs unsafe code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

#[path = "../tests/support/counting.rs"]
mod counting;
#[path = "../../../benches/recording/mod.rs"]
mod recording;
#[path = "../../../benches/report/mod.rs"]
mod report;
#[path = "../../../benches/sink/mod.rs"]
mod sink;
#[path = "../tests/support/way.rs"]
mod way;

use otel_tcpretrans_exporters::otlp::Compression;
use otel_tcpretrans_pipeline::books::Signal;
use report::{Limit, Section, median};
use way::Way;

const ROUNDS: usize = 3;
const LIMIT: f64 = 0.05;

fn main() -> std::io::Result<()> {
    let rows: [(&str, &[Signal], Compression); 5] = [
        ("metrics, otlp none", &[Signal::Metrics], Compression::None),
        ("logs, otlp none", &[Signal::Logs], Compression::None),
        ("both, otlp none", &Signal::ALL, Compression::None),
        ("logs, otlp zstd", &[Signal::Logs], Compression::Zstd),
        ("logs, otlp gzip", &[Signal::Logs], Compression::Gzip),
    ];
    let way = Way::new();
    let mut section = Section::new("Allocations per record on the whole way: replay -> exporter", &[]);
    for (name, signals, compression) in rows {
        let rounds: Vec<_> = (0..ROUNDS).map(|_| way.allocations_per_record(signals, compression)).collect();
        section.row(name, "", &rounds, &[]);
        section.bound(name, median(&rounds), Limit::AtMost(LIMIT), "per record");
    }
    section.finish("way_allocations")
}
