//! The part `memory`: the largest resident memory while a slow backend makes the sending queue full.

use std::time::Duration;

use tempfile::NamedTempFile;

use crate::agent::{self, Builds};
use crate::cpu;
use crate::e2e::support::namespace::wait_for;
use crate::helper::Helper;
use crate::recording;
use crate::report::{Limit, Section, median};
use crate::rows::{config, logs, metrics};

/// The records of so many events are several times as large as the queue.
const EVENTS: u64 = 500_000;
const RUNS: usize = 2;
/// How long the sink holds each answer back. It is shorter than the exporter's timeout.
const HOLD: Duration = Duration::from_millis(500);
const DEADLINE: Duration = Duration::from_secs(300);
const QUEUE_MIB: u64 = 64;
/// What the process may take beside its queue.
const BESIDE_MIB: u64 = 24;

pub fn measure(builds: &Builds) {
    let recording = NamedTempFile::new().expect("a file");
    recording::write(recording.path(), EVENTS).expect("writing the recording");
    let title = format!("Largest resident memory with a full queue of {QUEUE_MIB} MiB: both, otlp none");
    let mut section = Section::new(&title, &[]);
    for on_full in ["drop_newest", "block"] {
        eprintln!("end_to_end: memory, on_full: {on_full}");
        let peaks: Vec<_> = (0..RUNS).map(|_| peak_mib(builds, recording.path(), on_full)).collect();
        let name = format!("on_full: {on_full}");
        section.row(&name, "MiB", &peaks, &[]);
        let limit = (QUEUE_MIB + BESIDE_MIB) as f64;
        section.bound(&name, median(&peaks), Limit::AtMost(limit), "MiB");
    }
    section.finish("full_queue").expect("writing the results");
}

fn peak_mib(builds: &Builds, recording: &std::path::Path, on_full: &str) -> f64 {
    let sink = Helper::sink(HOLD);
    let queue = format!("sending_queue: {{ queue_size: {QUEUE_MIB}MiB, on_full: {on_full} }}");
    let otlp = format!("otlp: {{ endpoint: 'http://127.0.0.1:{}', compression: none, {queue} }}", sink.port);
    let replay = format!("replay: {{ file: '{}' }}", recording.display());
    let pipelines = metrics("replay", "otlp") + &logs("replay", "batch", "otlp");
    let agent = agent::start(&builds.new, &config(&replay, "aggregate: , batch:", &otlp, &pipelines));
    let mut peak = 0;
    wait_for("the agent's end", DEADLINE, || {
        peak = cpu::peak_memory(agent.pid()).unwrap_or(peak);
        cpu::has_ended(agent.pid())
    });
    let books = agent::ended(agent).books;
    let mib = peak as f64 / f64::from(1 << 20);
    assert!(mib >= QUEUE_MIB as f64, "the queue was never full: {mib} MiB");
    // Otherwise the sink was not slow, and the queue may have been full for a moment only.
    assert_eq!(books.dropped("logs", "otlp") > 0, on_full != "block", "{books:?}");
    mib
}
