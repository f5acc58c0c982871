//! The typed configuration as a whole.

use std::collections::BTreeMap;

use otel_tcpretrans_exporters::resource::UserAttributes;
use otel_tcpretrans_exporters::self_telemetry::{LogPushConfig, MetricsConfig};
use otel_tcpretrans_pipeline::config::Interval;
use serde::{Deserialize, Serialize, Serializer};

use crate::components::{ExporterConfig, ExtensionConfig, ProcessorConfig, ReceiverConfig};

/// The whole configuration: components by id, and the service that uses them.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Config {
    #[serde(serialize_with = "without_type")]
    pub(crate) receivers: BTreeMap<String, ReceiverConfig>,
    #[serde(serialize_with = "without_type")]
    pub(crate) processors: BTreeMap<String, ProcessorConfig>,
    #[serde(serialize_with = "without_type")]
    pub(crate) exporters: BTreeMap<String, ExporterConfig>,
    #[serde(serialize_with = "without_type", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) extensions: BTreeMap<String, ExtensionConfig>,
    pub(crate) service: Service,
}

/// `service`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Service {
    /// Ids of the extensions to start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) extensions: Vec<String>,
    /// How long a shutdown may take to deliver what is not delivered yet. Default 30 s.
    pub(crate) shutdown_timeout: Interval,
    /// Whether the process gives up its privileges once it has started. Default `auto`.
    pub(crate) sandbox: Sandboxing,
    /// The process's own log and metrics, and the resource of everything that it sends.
    pub(crate) telemetry: Telemetry,
    /// By id: `logs` or `metrics`, followed by `/name` if there are several.
    pub(crate) pipelines: BTreeMap<String, Pipeline>,
}

impl Default for Service {
    fn default() -> Self {
        Service {
            extensions: Vec::new(),
            shutdown_timeout: Interval::from_secs(30),
            sandbox: Sandboxing::default(),
            telemetry: Telemetry::default(),
            pipelines: BTreeMap::new(),
        }
    }
}

/// Whether the process gives up capabilities, files and system calls that it does not need any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sandboxing {
    /// As far as the kernel can. A message says what it can't.
    #[default]
    Auto,
    /// A kernel that can't is an error.
    On,
    /// It keeps all.
    Off,
}

/// `service.telemetry`: the process's own logs and metrics, and the resource of everything that it sends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Telemetry {
    /// The process's own log.
    pub(crate) logs: Logs,
    /// The process's own metrics.
    pub(crate) metrics: MetricsConfig,
    /// Attributes that are added to the resource. `null` removes one that is there by default.
    pub(crate) resource: UserAttributes,
}

/// `service.telemetry.logs`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Logs {
    /// The lowest level that is logged.
    pub(crate) level: LogLevel,
    /// The form of a message on stderr. To the journal, messages are written with their fields.
    pub(crate) format: LogFormat,
    /// The backend to which the log is sent, beside stderr. The default, `null`, sends it nowhere.
    pub(crate) otlp: Option<LogPushConfig>,
}

/// The lowest level that is logged.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub(crate) enum LogLevel {
    Trace,
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

/// The form of a log message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// One line of text per message.
    #[default]
    Text,
    /// One line with a JSON object per message.
    Json,
}

/// Ids of a pipeline's components.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pipeline {
    /// Where its records come from. At least one.
    pub(crate) receivers: Vec<String>,
    /// What happens to them, in this order.
    pub(crate) processors: Vec<String>,
    /// Where they go. At least one.
    pub(crate) exporters: Vec<String>,
}

/// Serializes components without their type, since their id begins with it.
fn without_type<S: Serializer, C: Serialize>(
    components: &BTreeMap<String, C>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let untagged = components.iter().map(|(id, component)| {
        let value = serde_yaml::to_value(component).map_err(serde::ser::Error::custom)?;
        Ok((id, if let serde_yaml::Value::Tagged(tagged) = value { tagged.value } else { value }))
    });
    serializer.collect_map(untagged.collect::<Result<Vec<_>, S::Error>>()?)
}
