//! OTLP over HTTP to a backend that nobody here wrote: VictoriaMetrics, whose sums must be those of the recording. Needs
//! root for a network namespace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../delivery/run.rs"]
mod run;

use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use e2e::agent::Agent;
use e2e::background::Background;
use e2e::harness::repository;
use e2e::page;
use e2e::recorded::Recorded;
use e2e::support::namespace::{isolated, wait_for};
use serde_json::Value;

/// The port of VictoriaMetrics. Each test has a network namespace of its own.
const PORT: u16 = 8428;
/// How long it may take until samples can be found.
const SEEN: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    e2e::support::harness::main(&[
        ("its_sums_are_those_of_the_recording_by_gzip", || sums_arrive("compression: gzip")),
        ("its_sums_are_those_of_the_recording_uncompressed", || sums_arrive("compression: none")),
        ("it_comes_late_and_gets_all", comes_late),
        ("it_scrapes_the_sums_of_the_recording", scrapes),
    ])
}

fn sums_arrive(exporter: &'static str) {
    isolated(move || {
        let _database = database();
        let mut agent = replaying(exporter);
        agent.ended().assert_nothing_lost();
        assert_sums();
    });
}

fn comes_late() {
    isolated(|| {
        let mut agent = replaying("retry_on_failure: { initial_interval: 100ms, max_interval: 300ms }");
        agent.wait_until_said("will be retried");
        let _database = database();
        agent.ended().assert_nothing_lost();
        assert_sums();
    });
}

/// A database that scrapes the exporter `prometheus`. A second receiver keeps the agent running.
fn scrapes() {
    isolated(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let endless = run::slow_recording(&folder, 0, 2, Duration::from_secs(3600));
        let scraping = folder.path().join("scrape.yaml");
        let jobs = "scrape_configs:\n- { job_name: agent, scrape_interval: 1s, static_configs: [{ targets: ['127.0.0.1:9464'] }] }\n";
        std::fs::write(&scraping, jobs).expect("writing a file");
        let _database = database_with(&[&format!("-promscrape.config={}", scraping.display())]);
        let mut agent = Agent::replaying(&format!(
            "receivers: {{ replay: {{ file: '{}' }}, replay/endless: {{ file: '{}', speed: realtime }} }}
exporters: {{ prometheus: {{ endpoint: '127.0.0.1:9464' }} }}
service: {{ pipelines: {{ metrics: {{ receivers: [replay, replay/endless], exporters: [prometheus] }} }} }}",
            repository().join("tests/replay/retransmits.otr").display(),
            endless.display()
        ));
        let recorded = Recorded::read(&repository().join("tests/replay/retransmits.json"));
        let expected = Some(recorded.retrans_segs + 1); // the second receiver has one
        wait_for("the count in VictoriaMetrics", SEEN, || {
            sum_of("system_network_tcp_retransmits_total") == expected
        });
        agent.0.signal(rustix::process::Signal::TERM);
        assert_eq!(agent.0.exit_code(SEEN), Some(0));
    });
}

/// An agent that replays the recording of the tests into the database.
fn replaying(exporter: &str) -> Agent {
    let recording = repository().join("tests/replay/retransmits.otr");
    Agent::replaying(&format!(
        "receivers: {{ replay: {{ file: '{}' }} }}
exporters: {{ otlp_http: {{ metrics_endpoint: 'http://127.0.0.1:{PORT}/opentelemetry/v1/metrics', {exporter} }} }}
service: {{ pipelines: {{ metrics: {{ exporters: [otlp_http] }} }} }}
",
        recording.display()
    ))
}

/// A database that answers.
fn database() -> Background {
    database_with(&[])
}

fn database_with(more: &[&str]) -> Background {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(binary());
    command.env_clear().args(["-storageDataPath=data", "-search.latencyOffset=0s"]);
    command.arg(format!("-httpListenAddr=127.0.0.1:{PORT}")).args(more);
    let mut database = Background::start("VictoriaMetrics", &mut command, folder);
    database.wait_until("ready", |_| TcpStream::connect((Ipv4Addr::LOCALHOST, PORT)).is_ok());
    database
}

/// The path of the cached binary. It is fetched if there is none yet.
fn binary() -> PathBuf {
    let output =
        Command::new(repository().join("tests/victoriametrics/fetch.sh")).output().expect("fetch.sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).expect("UTF-8").trim_end())
}

/// Waits until the sum over all series is the kernel's count.
fn assert_sums() {
    let recorded = Recorded::read(&repository().join("tests/replay/retransmits.json"));
    wait_for("the kernel's count in VictoriaMetrics", SEEN, || {
        sum_of("system.network.tcp.retransmits") == Some(recorded.retrans_segs)
    });
}

/// The sum over the series of a metric, if there are any.
fn sum_of(metric: &str) -> Option<u64> {
    get("/internal/force_flush"); // or new samples would be found seconds later
    let query = format!("sum%28%7B__name__%3D%22{metric}%22%7D%29"); // sum({__name__="…"})
    let body: Value = serde_json::from_str(&get(&format!("/api/v1/query?query={query}"))).expect("JSON");
    body["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}

/// The body of a page of the database.
fn get(path: &str) -> String {
    let (head, body) = page::get(PORT, path);
    assert!(head.contains(" 200 "), "{head}\n{body}");
    body
}
