//! The rows of the table: what a recording is replayed into, and what that may cost.

use std::path::Path;

/// What a recording is replayed into.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    pipelines: Pipelines,
    exporter: &'static str,
    /// CPU seconds per million events that it may take.
    pub limit: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pipelines {
    Logs,
    /// Logs, of which a filter takes everything.
    NoLogs,
    Metrics,
    /// Metrics, with attributes that processors find.
    Named,
    Both,
}

/// One line per record, to stdout.
const DEBUG: &str = "debug";

/// The row that the Collector has its own row beside.
pub const LOGS: Row =
    Row { name: "logs, otlp none", pipelines: Pipelines::Logs, exporter: "otlp none", limit: Some(0.9) };

/// The row of metrics without names, beside the next one.
pub const METRICS: &str = "metrics, otlp none";

/// Metrics whose records are named by `networks` on both sides.
pub const NAMED: Row = Row {
    name: "metrics, named by networks, otlp none",
    pipelines: Pipelines::Named,
    exporter: "otlp none",
    limit: None,
};

/// All rows, in the order of the table.
pub const ROWS: [Row; 8] = [
    Row {
        name: "a filter that removes all",
        pipelines: Pipelines::NoLogs,
        exporter: DEBUG,
        limit: Some(0.3),
    },
    Row { name: METRICS, pipelines: Pipelines::Metrics, exporter: "otlp none", limit: Some(0.3) },
    NAMED,
    Row { name: "logs, debug to /dev/null", pipelines: Pipelines::Logs, exporter: DEBUG, limit: None },
    LOGS,
    Row { name: "both, otlp none", pipelines: Pipelines::Both, exporter: "otlp none", limit: Some(1.0) },
    Row { name: "logs, otlp zstd", pipelines: Pipelines::Logs, exporter: "otlp zstd", limit: Some(1.5) },
    Row { name: "logs, otlp gzip", pipelines: Pipelines::Logs, exporter: "otlp gzip", limit: Some(2.4) },
];

impl Row {
    /// Whether it sends something to a backend.
    pub fn sends(&self) -> bool {
        self.exporter != DEBUG
    }

    /// Whether each event becomes a log record that is exported.
    pub fn exports_logs(&self) -> bool {
        matches!(self.pipelines, Pipelines::Logs | Pipelines::Both)
    }

    /// The name of its exporter in the books.
    pub fn exporter(&self) -> &str {
        self.exporter.split(' ').next().unwrap_or_default()
    }

    /// The configuration of an agent that replays a recording, and sends to a port of this machine.
    pub fn config(&self, recording: &Path, port: u16) -> String {
        let receiver = format!("replay: {{ file: '{}' }}", recording.display());
        let (processors, pipelines) = match self.pipelines {
            Pipelines::Logs => ("batch:", logs("replay", "batch", self.exporter())),
            Pipelines::NoLogs => (
                "filter: { exclude: ['network.type in [ipv4, ipv6]'] }, batch:",
                logs("replay", "filter, batch", self.exporter()),
            ),
            Pipelines::Metrics => ("aggregate: , batch:", metrics("replay", self.exporter())),
            Pipelines::Named => (
                "networks: { networks: [{ cidr: 0.0.0.0/0, attributes: { name: a } }, { cidr: '::/0', attributes: { name: b } }] }, \
                 aggregate: , batch:",
                metrics("replay", self.exporter()).replace("[aggregate", "[networks, aggregate"),
            ),
            Pipelines::Both => {
                let both = metrics("replay", self.exporter()) + &logs("replay", "batch", self.exporter());
                ("aggregate: , batch:", both)
            }
        };
        let exporter = match self.exporter.split_once(' ') {
            Some((otlp, compression)) => format!("{otlp}: {}", to(port, compression)),
            None => format!("{}: {{ verbosity: basic }}", self.exporter),
        };
        config(&receiver, processors, &exporter, &pipelines)
    }
}

/// The settings of an `otlp` exporter that loses nothing if the backend is the slower of the two.
fn to(port: u16, compression: &str) -> String {
    format!(
        "{{ endpoint: 'http://127.0.0.1:{port}', compression: {compression}, sending_queue: {{ on_full: block }} }}"
    )
}

/// A logs pipeline.
pub fn logs(receiver: &str, processors: &str, exporter: &str) -> String {
    format!("    logs: {{ receivers: [{receiver}], processors: [{processors}], exporters: [{exporter}] }}\n")
}

/// A metrics pipeline.
pub fn metrics(receiver: &str, exporter: &str) -> String {
    format!(
        "    metrics: {{ receivers: [{receiver}], processors: [aggregate, batch], exporters: [{exporter}] }}\n"
    )
}

/// A whole configuration, without a port for the agent's own telemetry.
pub fn config(receiver: &str, processors: &str, exporter: &str, pipelines: &str) -> String {
    format!(
        "\
receivers: {{ {receiver} }}
processors: {{ {processors} }}
exporters: {{ {exporter} }}
service:
  telemetry: {{ metrics: {{ prometheus: null }} }}
  pipelines:
{pipelines}"
    )
}
