//! How many allocations a record takes on its whole way, from a recording to the backend. It is apart from the bench
//! `end_to_end` because the allocator that counts would be part of its times.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

#[path = "end_to_end/helper.rs"]
#[allow(dead_code)] // the bench `end_to_end` uses more of it
mod helper;
mod recording;
mod report;
mod sink;
mod way;

use otel_tcpretrans_exporters::otlp::Compression;
use otel_tcpretrans_pipeline::books::Signal;
use report::{Limit, Section, median};
use way::Way;

const ROUNDS: usize = 3;
const LIMIT: f64 = 0.05;

fn main() -> std::io::Result<()> {
    if helper::play() {
        return Ok(());
    }
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
    section.finish("allocations")
}
