//! The real binary on a recording, without a privilege. All that was recorded on a real kernel leaves through the real
//! pipelines, to the last segment. A damaged file is replayed up to the damage, and a file that is no recording is
//! refused.
//!
//! `retransmits.otr` was made by the test `host` on a real kernel, beside `retransmits.json`, which holds what the
//! kernel and an agent counted meanwhile. After a change of the wire format both have to be made again, as root:
//!
//! ```text
//! OTEL_TCPRETRANS_KEEP_RECORDING=$PWD/tests/replay/retransmits cargo test --test host -- a_small_recording
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use e2e::agent::{Agent, log};
use e2e::books::Books;
use e2e::debug_output;
use e2e::harness::repository;
use e2e::recorded::Recorded;
use e2e::telemetry::Telemetry;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

fn recording() -> PathBuf {
    repository().join("tests/replay/retransmits.otr")
}

/// An agent that replays a file, through the pipelines of the base configuration.
fn replaying(file: &Path, more: &str, overlay: &str) -> Agent {
    Agent::replaying(&format!("receivers: {{ replay: {{ file: '{}'{more} }} }}\n{overlay}", file.display()))
}

/// Waits for its end. Fails unless its exit code is 0 and its books balance.
fn finished(mut agent: Agent) -> (Telemetry, Books, Vec<String>) {
    let books = agent.ended();
    let log = log(&agent.0);
    let said = log.iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned());
    (debug_output::parse(&agent.0.stdout()), books, said.collect())
}

/// A file with a part of the recording.
fn part(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("part.otr");
    fs::write(&file, bytes).unwrap();
    (folder, file)
}

#[test]
fn a_replay_has_what_was_counted_when_the_recording_was_made() {
    let recorded = Recorded::read(&recording().with_extension("json"));
    assert!(recorded.retrans_segs > 20);
    let (printed, books, said) = finished(replaying(&recording(), "", ""));
    books.assert_nothing_lost();
    assert_eq!(printed.segments(), recorded.retrans_segs);
    assert_eq!(printed.sum_of("system.network.tcp.retransmits"), recorded.retrans_segs);
    recorded.assert_same(&printed);
    for version in ["ipv4", "ipv6"] {
        let of = printed.records.iter().filter(|record| record["network.type"] == version);
        assert!(of.count() > 5, "{version}");
    }
    assert!(said.iter().any(|line| line == "all receivers have finished: stopping"), "{said:?}");
}

/// The same with the pauses of the recording, which take a few seconds at most.
#[test]
fn in_real_time_it_is_the_same() {
    let recorded = Recorded::read(&recording().with_extension("json"));
    let (printed, ..) = finished(replaying(&recording(), ", speed: realtime", ""));
    recorded.assert_same(&printed);
}

/// Sends many times what a pipeline's entrance holds to a slow exporter. The receiver waits, and nothing is dropped.
#[test]
fn in_a_loop_it_goes_on_until_a_signal_and_drops_nothing() {
    let mut agent = replaying(&recording(), ", loop: true", "exporters: { debug: { verbosity: normal } }");
    agent.0.wait_until("many records", |agent| agent.stdout().len() > 16 << 20);
    let books = agent.stop(Signal::TERM);
    books.assert_nothing_lost();
    assert!(books.received() > 20_000, "{books:?}");
}

/// Both signals of one exporter are in one file: a request per line, as the Collector's fileexporter writes them.
#[test]
fn a_file_has_what_was_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("telemetry.json");
    let pipelines = "{ metrics: { exporters: [debug, file] }, logs: { exporters: [debug, file] } }";
    let overlay = format!(
        "exporters: {{ file: {{ path: '{}' }} }}\nservice: {{ pipelines: {pipelines} }}",
        path.display()
    );
    let (printed, books, _) = finished(replaying(&recording(), "", &overlay));
    books.assert_nothing_lost();
    let (mut records, mut segments) = (0, 0);
    for line in fs::read_to_string(&path).unwrap().lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        for scope in items(&request, "resourceLogs", "scopeLogs") {
            records += scope["logRecords"].as_array().unwrap().len();
        }
        for scope in items(&request, "resourceMetrics", "scopeMetrics") {
            for metric in scope["metrics"].as_array().unwrap() {
                if metric["name"] == "system.network.tcp.retransmits" {
                    // Cumulative: the last one is the sum.
                    let points = metric["sum"]["dataPoints"].as_array().unwrap();
                    segments = points.iter().map(|point| integer(&point["asInt"])).sum();
                }
            }
        }
    }
    assert_eq!(records, printed.records.len());
    assert_eq!(segments, printed.sum_of("system.network.tcp.retransmits"));
}

fn items<'v>(request: &'v Value, resources: &str, scopes: &str) -> Vec<&'v Value> {
    let resources = request[resources].as_array().into_iter().flatten();
    resources.flat_map(|resource| resource[scopes].as_array().unwrap()).collect()
}

/// A number of 64 bits is a text in OTLP's JSON.
fn integer(value: &Value) -> u64 {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).parse().unwrap()
}

#[test]
fn a_torn_recording_is_replayed_up_to_its_tear() {
    let whole = fs::read(recording()).unwrap();
    let (all, ..) = finished(replaying(&recording(), "", ""));
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for bytes in [&whole[..whole.len() / 2], &damaged] {
        let (_folder, file) = part(bytes);
        let (printed, books, said) = finished(replaying(&file, "", ""));
        let count = printed.records.len();
        assert!(count > 5 && count < all.records.len());
        assert_eq!(printed.records, all.records[..count]);
        assert_eq!(books.received(), count as u64);
        let end = format!("; {count} events before that were read");
        let warned = said.iter().any(|line| line.contains(": torn at byte ") && line.ends_with(&end));
        assert!(warned, "{end}: {said:?}");
    }
}

/// Runs the demo's table on what a replay printed. It fails if the counts differ by more than what was lost for good.
#[test]
fn the_table_of_the_demo_fails_if_the_counts_differ() {
    let mut agent = replaying(&recording(), "", "exporters: { debug: { verbosity: basic } }");
    agent.ended();
    let printed = agent.0.stdout();
    let ours = Recorded::read(&recording().with_extension("json")).retrans_segs;
    let folder = tempfile::tempdir().unwrap();
    let agrees = |kernel: u64, gap: &str, scrape: &str| {
        let (output, scraped) = (folder.path().join("output"), folder.path().join("scrape"));
        fs::write(&output, format!("{printed}{gap}")).unwrap();
        fs::write(&scraped, scrape).unwrap();
        let mut awk = Command::new("awk");
        awk.args(["-v", "versions=2", "-v", &format!("kernel={kernel}"), "-f"]);
        awk.arg(repository().join("tests/demo/table.awk")).args([&output, &scraped]);
        awk.output().expect("awk").status.success()
    };
    let lost = "otelcol_tcpretrans_unobserved_events{cpu=\"0\",place=\"kernel\",reason=\"ring_full\"} 2\n";
    let returned = "otelcol_tcpretrans_gap_events{receiver=\"tcpretrans\"} 2\n";
    let gap = "2026-11-23T05:01:44.206373Z ipv4 gap fast events=2 segments=10000 bytes=0\n";
    assert!(agrees(ours, "", ""));
    assert!(!agrees(ours + 1, "", ""));
    assert!(!agrees(ours - 1, "", lost));
    // Each lost event may be as large as the largest one that was printed.
    let size = |line: &str| line.split_once(" segments=")?.1.split(' ').next()?.parse::<u64>().ok();
    let most = 2 * printed.lines().filter_map(size).max().unwrap();
    assert!(agrees(ours + most, "", lost));
    assert!(!agrees(ours + most + 1, "", lost));
    assert!(!agrees(ours + 2, "", &(lost.to_owned() + returned)), "what came back is in the sums");
    assert!(!agrees(ours + most + 1, gap, lost), "a gap is many events");
}

/// The last message of an agent that ends with exit code 78.
fn refused(file: &Path) -> String {
    let mut agent = replaying(file, "", "");
    assert_eq!(agent.0.exit_code(Duration::from_secs(30)), Some(78));
    assert_eq!(agent.0.stdout(), "");
    let log = log(&agent.0);
    log.last().unwrap()["message"].as_str().unwrap().to_owned()
}

#[test]
fn what_cannot_be_replayed_is_named_with_what_was_expected() {
    let (folder, file) = part(b"receivers:\n");
    let at = |file: &Path| format!("receiver `replay`: file: {}: ", file.display());
    let foreign =
        "not a recording: expected it to begin with [89, 4f, 54, 52, 0d, 0a, 1a, 0a], found [72, 65, 63,";
    assert!(refused(&file).starts_with(&(at(&file) + foreign)), "{}", refused(&file));
    let missing = folder.path().join("missing.otr");
    assert_eq!(refused(&missing), at(&missing) + "No such file or directory (os error 2)");
    let mut newer = fs::read(recording()).unwrap();
    newer[8] = 7;
    fs::write(&file, &newer).unwrap();
    assert_eq!(refused(&file), at(&file) + "a recording of format version 7; expected version 1");
    fs::write(&file, &newer[..10]).unwrap();
    assert_eq!(refused(&file), at(&file) + "torn at byte 8: the record is cut off");
}
