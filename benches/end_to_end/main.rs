//! What the release binary costs on the whole way of a record. It has four parts: `replay` (CPU time by what a recording is
//! replayed into), `memory` (with a full queue), `storage` (a queue on disk) and `live` (under a storm of retransmissions).
//!
//! `cargo bench --bench end_to_end -- live` runs one part. If `OLD_BINARY` names another build of this program, `replay`
//! and `live` measure it too, in turns with this one. The backend and the Collector are processes of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod agent;
mod collector;
mod cpu;
#[allow(dead_code)] // the tests use more of it
#[path = "../../tests/e2e/mod.rs"]
mod e2e;
mod helper;
mod live;
mod memory;
#[path = "../recording/mod.rs"]
mod recording;
mod replay;
#[path = "../report/mod.rs"]
mod report;
mod rows;
#[path = "../sink/mod.rs"]
mod sink;
mod storage;
#[path = "../../crates/source-tcpretrans/benches/bpf_cost/storm.rs"]
mod storm;

use std::path::Path;
use std::process::ExitCode;

use agent::Builds;
use e2e::support; // where `storm` expects it

fn main() -> ExitCode {
    if helper::play() {
        return ExitCode::SUCCESS;
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tempfile::env::override_temp_dir(place).expect("nobody has set it yet"); // cargo clean removes what Ctrl-C leaves
    let parts: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let builds = Builds::find();
    if wanted("replay") {
        let Some(collector) = collector::find() else {
            eprintln!("end_to_end: no Collector to compare with: run `make collector`");
            return ExitCode::FAILURE;
        };
        replay::measure(&builds, &collector);
    }
    if wanted("memory") {
        memory::measure(&builds);
    }
    if wanted("storage") {
        storage::measure(&builds);
    }
    if wanted("live") {
        live::measure(&builds);
    }
    ExitCode::SUCCESS
}
