//! What the agent is watched by: Prometheus, VictoriaMetrics, and a Collector between the agent and VictoriaMetrics, which
//! takes OTLP over HTTP only.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::api::Api;
use crate::e2e::background::Background;
use crate::e2e::harness::repository;

pub const PROMETHEUS: Api = Api { name: "Prometheus", port: 9090 };
pub const VICTORIAMETRICS: Api = Api { name: "VictoriaMetrics", port: 8428 };
/// The pages of the agent that Prometheus scrapes: the network, the agent, and the network in the names of Retina and of OBI.
pub const PAGES: [u16; 4] = [9464, 8889, 10093, 9466];
/// The Collector's port for gRPC.
pub const OTLP_PORT: u16 = 4317;

/// Where VictoriaMetrics takes metrics.
pub fn otlp_url() -> String {
    format!("http://127.0.0.1:{}/opentelemetry/v1/metrics", VICTORIAMETRICS.port)
}

/// Prometheus with the alerts, whose times are shorter.
pub fn prometheus() -> Background {
    let folder = tempfile::tempdir().expect("a folder");
    let targets = PAGES.map(|port| format!("'127.0.0.1:{port}'")).join(", ");
    let config = format!(
        "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}
rule_files: [alerts.yaml]
scrape_configs:
- job_name: otel-tcpretrans
  static_configs: [{{ targets: [{targets}] }}]
"
    );
    fs::write(folder.path().join("prometheus.yaml"), config).expect("writing a file");
    let alerts = fs::read_to_string(repository().join("deploy/prometheus/alerts.yaml")).expect("alerts");
    fs::write(folder.path().join("alerts.yaml"), shortened(&alerts)).expect("writing a file");
    let mut command = Command::new(fetched("dashboards").join("prometheus"));
    command.env_clear().args(["--config.file=prometheus.yaml", "--storage.tsdb.path=data"]);
    command.arg(format!("--web.listen-address=127.0.0.1:{}", PROMETHEUS.port));
    let mut prometheus = started(PROMETHEUS, &mut command, folder);
    prometheus.wait_until("an answer", |_| PROMETHEUS.query("vector(1)").is_ok()); // it listens before it answers
    prometheus
}

/// The same alerts, with seconds in place of minutes.
fn shortened(alerts: &str) -> String {
    let mut alerts = alerts.to_owned();
    for (long, short) in [
        ("[5m]", "[4s]"),
        ("[1h] offset 10m", "[12s] offset 5s"),
        ("for: 10m", "for: 2s"),
        ("for: 15m", "for: 2s"),
    ] {
        assert!(alerts.contains(long), "no {long}");
        alerts = alerts.replace(long, short);
    }
    alerts
}

/// VictoriaMetrics, with the names as Prometheus has them.
pub fn victoriametrics() -> Background {
    let mut command = Command::new(fetched("victoriametrics"));
    command.env_clear().args(["-storageDataPath=data", "-search.latencyOffset=0s"]);
    command.arg("-opentelemetry.usePrometheusNaming");
    command.arg(format!("-httpListenAddr=127.0.0.1:{}", VICTORIAMETRICS.port));
    started(VICTORIAMETRICS, &mut command, tempfile::tempdir().expect("a folder"))
}

/// A Collector that takes metrics by gRPC and hands them on by HTTP.
pub fn collector() -> Background {
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "receivers: {{ otlp: {{ protocols: {{ grpc: {{ endpoint: '127.0.0.1:{OTLP_PORT}' }} }} }} }}
exporters: {{ otlphttp: {{ metrics_endpoint: '{}' }} }}
service:
  telemetry: {{ metrics: {{ level: none }} }}
  pipelines: {{ metrics: {{ receivers: [otlp], exporters: [otlphttp] }} }}
",
        otlp_url()
    );
    fs::write(folder.path().join("collector.yaml"), config).expect("writing a file");
    let mut command = Command::new(script("tests/collector/build.sh"));
    command.env_clear().args(["--config", "collector.yaml"]);
    started(Api { name: "the Collector", port: OTLP_PORT }, &mut command, folder)
}

fn started(api: Api, command: &mut Command, folder: tempfile::TempDir) -> Background {
    let mut server = Background::start(api.name, command, folder);
    server.wait_until("ready", |_| TcpStream::connect((Ipv4Addr::LOCALHOST, api.port)).is_ok());
    server
}

fn fetched(test: &str) -> PathBuf {
    script(&format!("tests/{test}/fetch.sh"))
}

/// The path that a script prints. It fetches or builds what is not cached yet.
fn script(path: &str) -> PathBuf {
    let output = Command::new(repository().join(path)).stdin(Stdio::null()).output().expect(path);
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    Path::new(String::from_utf8(output.stdout).expect("UTF-8").trim_end()).to_owned()
}
