//! CPU time of the whole process per million events. A recording goes through both pipelines to the real Collector,
//! which drops everything, and to the cheapest exporter.
//!
//! The process ends by itself at the end of the recording. Its CPU time includes start and drain, and is read when the
//! process is a zombie. It needs no privilege, but the Collector of `make collector`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

#[allow(dead_code)] // the tests use more of it
#[path = "../tests/e2e/mod.rs"]
mod e2e;
mod report;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use e2e::agent::log;
use e2e::background::Background;
use e2e::books::Books;
use e2e::harness::{BINARY, repository};
use e2e::support::hidden::Hidden;
use e2e::support::namespace::wait_for;
use otel_tcpretrans_source::recording::{Reader, Writer};
use report::Section;
use tempfile::{NamedTempFile, TempDir};

const EVENTS: u64 = 500_000;
const ROUNDS: usize = 3;
/// How long one process may take to end.
const DEADLINE: Duration = Duration::from_secs(120);

/// Indexes into what `stat` returns: fields 3, 14 and 15 of proc_pid_stat(5).
const STATE: usize = 0;
const UTIME: usize = 11;
const STIME: usize = 12;

fn main() -> ExitCode {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tempfile::env::override_temp_dir(place).expect("nobody has set it yet"); // cargo clean removes what Ctrl-C leaves
    let Some(collector) = collector() else {
        eprintln!("end_to_end: no Collector to send to: run `make collector`");
        return ExitCode::FAILURE;
    };
    let recording = recording();
    let (collector, port) = start(&collector);
    let title = "CPU seconds per million events, end to end: replay -> logs, metrics -> exporter";
    let mut section = Section::new(title, &["the Collector's"]);
    for (name, exporter) in exporters(port) {
        let before = cpu_seconds(collector.pid());
        let rounds: Vec<_> = (0..ROUNDS).map(|_| replay(recording.path(), &exporter)).collect();
        let theirs = (cpu_seconds(collector.pid()) - before) / millions(EVENTS * ROUNDS as u64);
        section.row(&name, "CPU s", &rounds, &[name.starts_with("otlp").then_some(theirs)]);
    }
    section.finish("end_to_end").expect("writing the results");
    ExitCode::SUCCESS
}

/// The exporters that are compared, by name: the cheapest one, which prints one line per item to /dev/null, and OTLP to
/// the Collector.
fn exporters(port: u16) -> Vec<(String, String)> {
    let mut all = vec![("debug, basic, to /dev/null".to_owned(), "debug: { verbosity: basic }".to_owned())];
    for compression in ["none", "gzip", "zstd"] {
        let queue = "sending_queue: { on_full: block }"; // the Collector may be the slower of the two
        let otlp =
            format!("otlp: {{ endpoint: 'http://127.0.0.1:{port}', compression: {compression}, {queue} }}");
        all.push((format!("otlp, compression {compression}"), otlp));
    }
    all
}

fn millions(events: u64) -> f64 {
    events as f64 / 1e6
}

/// The tests' recording, repeated until it has enough events.
fn recording() -> NamedTempFile {
    let bytes = fs::read(repository().join("tests/replay/retransmits.otr")).expect("the tests' recording");
    let file = NamedTempFile::new().expect("a file");
    let header = Reader::new(bytes.as_slice()).expect("a recording").header().clone();
    let mut writer = Writer::new(file.reopen().expect("the file"), &header);
    let mut written = 0;
    while written < EVENTS {
        let mut reader = Reader::new(bytes.as_slice()).expect("a recording");
        while let Some(event) = reader.next_event().expect("a whole one").filter(|_| written < EVENTS) {
            writer.event(event.bytes, event.wall_offset_ns).expect("writing");
            written += 1;
        }
    }
    writer.finish(EVENTS).expect("writing");
    file
}

/// CPU seconds per million events of a process that delivered all of them.
fn replay(recording: &Path, exporter: &str) -> f64 {
    let name = exporter.split(':').next().expect("a name");
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("config.yaml"), config(recording, name, exporter)).expect("writing a file");
    let mut command = Command::new(BINARY);
    command.env_clear().args(["run", "--config", "config.yaml", "--log-format", "json"]);
    let mut agent = Background::start_into("the agent", &mut command, folder, Stdio::null());
    // This does not ask for the exit code, since that would remove the zombie.
    wait_for("the agent's end", DEADLINE, || stat(agent.pid())[STATE] == "Z");
    let seconds = cpu_seconds(agent.pid());
    assert_eq!(agent.exit_code(DEADLINE), Some(0), "{}", agent.stderr());
    let books = Books::of(&log(&agent), Hidden::default());
    books.assert_balanced();
    books.assert_nothing_lost();
    assert_eq!(books.exporter("logs", name, "delivered"), EVENTS);
    seconds / millions(books.received())
}

fn config(recording: &Path, name: &str, exporter: &str) -> String {
    format!(
        "\
receivers: {{ replay: {{ file: '{}' }} }}
processors: {{ aggregate: , batch: }}
exporters: {{ {exporter} }}
service:
  telemetry: {{ metrics: {{ prometheus: null }} }}
  pipelines:
    metrics: {{ receivers: [replay], processors: [aggregate, batch], exporters: [{name}] }}
    logs: {{ receivers: [replay], processors: [batch], exporters: [{name}] }}
",
        recording.display()
    )
}

/// The Collector of `make collector`.
fn collector() -> Option<PathBuf> {
    let script = repository().join("tests/collector/build.sh");
    let output = Command::new(script).arg("--cached").output().expect("tests/collector/build.sh");
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end()))
}

/// Starts it on a free port, and waits until it listens. It ends when this process ends, in any way.
fn start(collector: &Path) -> (Background, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(collector);
    command.arg("--config").arg(repository().join("benches/collector.yaml"));
    command.env_clear().env("OTLP_PORT", port.to_string());
    let mut collector = Background::start("the Collector", &mut command, TempDir::new().expect("a folder"));
    collector.wait_until("ready", |collector| collector.stderr().contains("Everything is ready"));
    (collector, port)
}

/// User and system time of a process, also of a zombie.
fn cpu_seconds(pid: u32) -> f64 {
    let fields = stat(pid);
    let ticks: u64 = [UTIME, STIME].iter().map(|&field| fields[field].parse::<u64>().expect("ticks")).sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// The fields of /proc/PID/stat behind the process's name, which may contain any character.
fn stat(pid: u32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("its stat");
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    fields.split_whitespace().map(str::to_owned).collect()
}
