//! The part `replay`: CPU seconds per million events of a recording, by what it is replayed into. All rows take their turn
//! in each of several rounds, so that what else the machine does meets all of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::agent::{self, Build, Builds};
use crate::collector::Collector;
use crate::cpu;
use crate::e2e::support::namespace::wait_for;
use crate::helper::{self, Helper};
use crate::recording;
use crate::report::{Limit, Section, median};
use crate::rows::{LOGS, METRICS, NAMED, ROWS, Row};
use crate::sink::Received;

const EVENTS: u64 = 500_000;
const ROUNDS: usize = 5;
/// A measurement takes at least this much CPU time. A recording that takes less is replayed again.
const LEAST_SECONDS: f64 = 0.5;
const COLLECTOR: &str = "  the Collector forwards the same to the same sink";
const FLOOR: &str = "a raw write of the same bytes to loopback";
/// What a processor that names both sides of a record may take: 200 ns.
const NAMING: f64 = 0.2;
/// The share of the Collector's CPU time that the agent may take.
const COLLECTOR_RATIO: f64 = 0.25;

/// The CPU seconds per million events of one row, from each round.
#[derive(Default)]
struct Samples {
    new: Vec<f64>,
    old: Vec<f64>,
    /// Per event, from the last round.
    bytes: Option<f64>,
}

pub fn measure(builds: &Builds, collector: &PathBuf) {
    let recording = NamedTempFile::new().expect("a file");
    recording::write(recording.path(), EVENTS).expect("writing the recording");
    let mut rows: Vec<Samples> = ROWS.iter().map(|_| Samples::default()).collect();
    let (mut theirs, mut floor) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("end_to_end: replay, round {round} of {ROUNDS}");
        for (row, samples) in ROWS.iter().zip(&mut rows) {
            for (build, binary) in builds.all() {
                let (seconds, received) = agent_seconds(binary, row, recording.path());
                match build {
                    Build::New => samples.new.push(seconds),
                    Build::Old => samples.old.push(seconds),
                }
                let Some(received) = received.filter(|_| build == Build::New) else { continue };
                samples.bytes = Some(received.on_the_wire as f64 / EVENTS as f64);
                if row.name == LOGS.name {
                    theirs.push(collector_seconds(collector, &builds.new, recording.path(), &received));
                    floor.push(floor_seconds(&received));
                }
            }
        }
    }
    report(&rows, &theirs, &floor);
}

fn report(rows: &[Samples], theirs: &[f64], floor: &[f64]) {
    let title = "CPU seconds per million events: a recording of 5,000 connections, replayed";
    let mut section = Section::new(title, &["bytes per event", "old build", "old / new"]);
    for (row, samples) in ROWS.iter().zip(rows) {
        let old = (!samples.old.is_empty()).then(|| median(&samples.old));
        let ratio = old.map(|old| old / median(&samples.new));
        section.row(row.name, "CPU s", &samples.new, &[samples.bytes, old, ratio]);
        if row.name == LOGS.name {
            section.row(COLLECTOR, "CPU s", theirs, &[None; 3]);
        }
    }
    section.row(FLOOR, "CPU s", floor, &[None; 3]);
    let of = |name: &str| {
        let pairs = ROWS.iter().zip(rows);
        median(&pairs.into_iter().find(|(row, _)| row.name == name).expect("a row").1.new)
    };
    let naming = of(NAMED.name) - of(METRICS);
    section.bound("naming a record", naming, Limit::AtMost(NAMING), "CPU s per million");
    for (row, samples) in ROWS.iter().zip(rows) {
        if let Some(limit) = row.limit {
            section.bound(row.name, median(&samples.new), Limit::AtMost(limit), "CPU s per million");
        }
        if row.name == LOGS.name {
            let ratio = median(&samples.new) / median(theirs);
            section.bound("logs, otlp none / the Collector's", ratio, Limit::AtMost(COLLECTOR_RATIO), "");
        }
    }
    section.finish("end_to_end").expect("writing the results");
}

/// CPU seconds per million events of an agent, and what the sink received of one replay.
fn agent_seconds(binary: &Path, row: &Row, recording: &Path) -> (f64, Option<Received>) {
    let (mut seconds, mut events, mut received) = (0.0, 0, None);
    while seconds < LEAST_SECONDS {
        if row.sends() {
            let sink = Helper::sink(Duration::ZERO);
            seconds += replay(binary, row, recording, sink.port);
            received = Some(sink.finish());
        } else {
            seconds += replay(binary, row, recording, 0);
        }
        events += EVENTS;
    }
    (per_million(seconds, events), received)
}

/// The same of a Collector between an agent and the sink. It has to forward what the agent sends by itself.
fn collector_seconds(collector: &PathBuf, binary: &Path, recording: &Path, direct: &Received) -> f64 {
    let sink = Helper::sink(Duration::ZERO);
    let collector = Collector::start(collector, sink.port);
    replay(binary, &LOGS, recording, collector.port);
    let seconds = collector.finish();
    let forwarded = sink.finish();
    let share = forwarded.bodies as f64 / direct.bodies as f64;
    assert!((0.95..1.05).contains(&share), "the Collector forwarded {forwarded:?} of {direct:?}");
    per_million(seconds, EVENTS)
}

/// The same of a process that only writes as many bytes, in as many pieces.
fn floor_seconds(received: &Received) -> f64 {
    let drain = Helper::drain();
    let at_once = received.on_the_wire.div_ceil(received.requests);
    let numbers = [drain.port.into(), received.on_the_wire, at_once];
    let mut writer = helper::command("writer", &numbers).spawn().expect("this program");
    wait_for("the writer's end", Duration::from_secs(30), || cpu::has_ended(writer.id()));
    let seconds = cpu::seconds(writer.id());
    assert!(writer.wait().expect("its end").success());
    per_million(seconds, EVENTS)
}

/// CPU seconds of a process that replayed the recording and lost nothing.
fn replay(binary: &Path, row: &Row, recording: &Path, port: u16) -> f64 {
    let ended = agent::ended(agent::start(binary, &row.config(recording, port)));
    ended.books.assert_nothing_lost();
    assert_eq!(ended.books.received(), EVENTS);
    if row.exports_logs() {
        assert_eq!(ended.books.exporter("logs", row.exporter(), "delivered"), EVENTS);
    }
    ended.cpu_seconds
}

fn per_million(seconds: f64, events: u64) -> f64 {
    seconds / (events as f64 / 1e6)
}
