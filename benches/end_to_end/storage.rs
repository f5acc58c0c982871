//! The part `storage`: what a queue on disk costs beside one in memory, and how long a full one takes to open.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::{NamedTempFile, TempDir};

use crate::agent::{self, Builds};
use crate::cpu;
use crate::e2e::agent::log;
use crate::e2e::background::Background;
use crate::e2e::support::namespace::wait_for;
use crate::helper::Helper;
use crate::recording;
use crate::report::{Limit, Section, median};
use crate::rows::logs;

const EVENTS: u64 = 1_000_000;
const ROUNDS: usize = 5;
/// CPU seconds per million records that the disk may cost.
const MOST_SECONDS: f64 = 0.5;
/// The size of the store that is opened.
const FULL: u64 = 1 << 30;
const DEADLINE: Duration = Duration::from_secs(120);
/// Nobody listens there.
const NOBODY: u16 = 1;

pub fn measure(builds: &Builds) {
    let recording = NamedTempFile::new().expect("a file");
    recording::write(recording.path(), EVENTS).expect("writing the recording");
    cost(builds, recording.path());
    opening(builds, recording.path());
}

/// All configurations take their turn in each round.
fn cost(builds: &Builds, recording: &Path) {
    let title = "CPU seconds per million log records: a queue on disk beside one in memory";
    let mut section = Section::new(title, &["more than in memory"]);
    let cases = ["gzip", "none"];
    let mut seconds: [[Vec<f64>; 2]; 2] = Default::default();
    for round in 1..=ROUNDS {
        eprintln!("end_to_end: storage, round {round} of {ROUNDS}");
        for (case, seconds) in cases.iter().zip(&mut seconds) {
            for (stored, seconds) in [false, true].into_iter().zip(seconds) {
                seconds.push(seconds_of(builds, recording, case, stored));
            }
        }
    }
    for (case, [memory, disk]) in cases.iter().zip(&seconds) {
        let more = median(disk) - median(memory);
        section.row(&format!("otlp {case}, in memory"), "CPU s", memory, &[None]);
        section.row(&format!("otlp {case}, on disk"), "CPU s", disk, &[Some(more)]);
        if *case == "gzip" {
            section.bound(
                "otlp gzip, on disk - in memory",
                more,
                Limit::AtMost(MOST_SECONDS),
                "CPU s per million",
            );
        }
    }
    section.finish("storage_cost").expect("writing the results");
}

fn seconds_of(builds: &Builds, recording: &Path, compression: &str, stored: bool) -> f64 {
    let directory = TempDir::new().expect("a folder");
    let sink = Helper::sink(Duration::ZERO);
    let storage = if stored { ", storage: file_storage" } else { "" };
    let exporter = format!("compression: {compression}, sending_queue: {{ on_full: block{storage} }}");
    let config = config(recording, "", sink.port, &exporter, directory.path());
    let ended = agent::ended(agent::start(&builds.new, &config));
    sink.finish();
    ended.books.assert_nothing_lost();
    assert_eq!(ended.books.exporter("logs", "otlp", "delivered"), EVENTS);
    ended.cpu_seconds / (EVENTS as f64 / 1e6)
}

/// Starts with a store of 1 GiB, and with an empty one.
fn opening(builds: &Builds, recording: &Path) {
    let directory = TempDir::new().expect("a folder");
    let file = directory.path().join("otlp.logs.sqlite");
    let exporter = "compression: none, sending_queue: { storage: file_storage, on_full: block }";
    eprintln!("end_to_end: storage, filling 1 GiB");
    let fill = config(recording, ", loop: true", NOBODY, exporter, directory.path());
    let agent = agent::start(&builds.new, &fill);
    wait_for("a store of 1 GiB", DEADLINE, || fs::metadata(&file).is_ok_and(|file| file.len() >= FULL));
    finish(agent);
    let title = "Start with a store of 1 GiB and with an empty one, to a backend that is away";
    let mut section = Section::new(title, &[]);
    let empty = TempDir::new().expect("a folder");
    let mut medians = Vec::new();
    for (name, directory) in [("1 GiB", directory.path()), ("empty", empty.path())] {
        let (mut times, mut memory) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            // The first event of a recording is there at once, the others come too slowly to matter.
            let config = config(recording, ", speed: realtime", NOBODY, exporter, directory);
            let agent = agent::start(&builds.new, &config);
            let mut ready = None;
            wait_for("the start", DEADLINE, || {
                let log = log(&agent);
                ready = log
                    .iter()
                    .find(|line| line["message"] == "ready")
                    .and_then(|line| line["elapsed_ms"].as_f64());
                ready.is_some()
                    && log
                        .iter()
                        .any(|line| line["message"].as_str().is_some_and(|text| text.contains("retried")))
            });
            times.extend(ready);
            memory.extend(cpu::peak_memory(agent.pid()).map(|bytes| bytes as f64 / f64::from(1 << 20)));
            finish(agent);
        }
        section.row(&format!("{name}: from start to ready"), "ms", &times, &[]);
        section.row(&format!("{name}: largest resident memory after the first attempt"), "MiB", &memory, &[]);
        medians.push((median(&times), median(&memory)));
    }
    let [(time, with), (_, without)] = medians[..] else { unreachable!("two stores") };
    section.bound("1 GiB: from start to ready", time, Limit::AtMost(1000.0), "ms");
    section.bound("1 GiB - empty: memory", with - without, Limit::AtMost(24.0), "MiB");
    section.finish("storage_open").expect("writing the results");
}

fn finish(mut agent: Background) {
    agent.signal(Signal::TERM);
    agent::ended(agent);
}

fn config(recording: &Path, receiver: &str, port: u16, exporter: &str, directory: &Path) -> String {
    format!(
        "\
receivers: {{ replay: {{ file: '{}' {receiver} }} }}
processors: {{ batch: }}
exporters: {{ otlp: {{ endpoint: 'http://127.0.0.1:{port}', {exporter} }} }}
extensions: {{ file_storage: {{ directory: '{}', max_size: 4GiB }} }}
service:
  extensions: [file_storage]
  telemetry: {{ metrics: {{ prometheus: null }} }}
  pipelines:
{}",
        recording.display(),
        directory.display(),
        logs("replay", "batch", "otlp")
    )
}
