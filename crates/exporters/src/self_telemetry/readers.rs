//! The Collector's form of the process's own metrics: `service.telemetry.metrics.readers`.
//!
//! The words are those of OpenTelemetry's declarative configuration (schema 0.3, `MetricReader`), which the Collector uses.
//! There is one address to scrape and one backend to push to, so there is at most one reader of each kind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use otel_tcpretrans_pipeline::config::Problem;
use serde::{Deserialize, Serialize};

use super::push_config::PushConfig;
use crate::otlp::{Compression, TlsConfig};
use crate::secret::Secret;

/// A reader: either one that is scraped, or one that pushes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reader {
    /// It is scraped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull: Option<Pull>,
    /// It pushes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub periodic: Option<Periodic>,
}

/// A reader that is scraped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pull {
    /// What serves it.
    pub exporter: PullExporter,
}

/// What serves a scrape.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PullExporter {
    /// `/metrics` in Prometheus's text format.
    pub prometheus: Option<Prometheus>,
}

/// Where `/metrics` is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prometheus {
    /// The address to listen on. Default `localhost`.
    pub host: String,
    /// Its port. Default 8888.
    pub port: u16,
    /// Names have no unit at their end. Only `true`, which is the default here.
    pub without_units: bool,
    /// Names have no `_total` at their end. Only `true`, which is the default here.
    pub without_type_suffix: bool,
}

/// A reader that pushes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Periodic {
    /// Time between two pushes, in ms. Default 60000.
    pub interval: u64,
    /// How long a push may take, in ms. Default: that of the exporter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Where it pushes to.
    pub exporter: PushExporter,
}

/// Where a reader pushes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushExporter {
    /// A backend of OTLP.
    pub otlp: Option<Otlp>,
}

/// A backend of OTLP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Otlp {
    /// `grpc`, which is the default here, or `grpc/protobuf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// As that of the `otlp` exporter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Whether an endpoint without a scheme is reached in plaintext.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure: Option<bool>,
    /// Compression of requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// How long an attempt may take, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// gRPC metadata, as a list of `{ name, value }`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// PEM file of the authorities to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM file of this client's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<PathBuf>,
    /// PEM file of its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key: Option<PathBuf>,
}

/// A header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Secret,
}

impl Default for Prometheus {
    fn default() -> Self {
        Prometheus {
            host: "localhost".to_owned(),
            port: 8888,
            without_units: true,
            without_type_suffix: true,
        }
    }
}

impl Default for Periodic {
    fn default() -> Self {
        Periodic { interval: 60_000, timeout: None, exporter: PushExporter::default() }
    }
}

/// What readers mean.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    /// `HOST:PORT` where `/metrics` is served.
    pub(super) prometheus: Option<String>,
    /// The backend to push to.
    pub(super) otlp: Option<PushConfig>,
    /// Where in the configuration the backend's values are from.
    pub(super) place: String,
}

/// Reads what `readers` mean.
///
/// # Errors
/// The readers that say nothing, that say what is not built, or that are more than there may be.
pub(super) fn meaning(readers: &[Reader]) -> Result<Meaning, Vec<Problem>> {
    let mut found = Meaning::default();
    let mut problems = Vec::new();
    for (index, reader) in readers.iter().enumerate() {
        let at = format!("readers.{index}");
        match reader {
            Reader { pull: Some(pull), periodic: None } => match &pull.exporter.prometheus {
                None => problems.push(wrong(format!("{at}.pull.exporter"), "expected prometheus")),
                Some(_) if found.prometheus.is_some() => {
                    problems.push(wrong(at, "only one reader may be pull"))
                }
                Some(prometheus) => {
                    problems.extend(unbuilt(&at, prometheus));
                    found.prometheus = Some(address(prometheus));
                }
            },
            Reader { pull: None, periodic: Some(periodic) } => match &periodic.exporter.otlp {
                None => problems.push(wrong(format!("{at}.periodic.exporter"), "expected otlp")),
                Some(_) if found.otlp.is_some() => {
                    problems.push(wrong(at, "only one reader may be periodic"));
                }
                Some(otlp) => {
                    found.place = format!("{at}.periodic.exporter.otlp");
                    problems.extend(protocol(&found.place, otlp));
                    found.otlp = Some(push(periodic, otlp));
                }
            },
            _ => problems.push(wrong(at, "expected either pull or periodic")),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn wrong(path: String, message: &str) -> Problem {
    Problem::at(path, message)
}

/// An IPv6 address needs brackets before a port.
fn address(Prometheus { host, port, .. }: &Prometheus) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

fn unbuilt(at: &str, prometheus: &Prometheus) -> Vec<Problem> {
    let keys = [
        ("without_units", prometheus.without_units),
        ("without_type_suffix", prometheus.without_type_suffix),
    ];
    let refused = keys.into_iter().filter(|(_, is_set)| !is_set);
    let path = |key| format!("{at}.pull.exporter.prometheus.{key}");
    refused.map(|(key, _)| wrong(path(key), "false is not built; leave it out")).collect()
}

fn protocol(at: &str, otlp: &Otlp) -> Option<Problem> {
    let protocol =
        otlp.protocol.as_deref().filter(|protocol| !matches!(*protocol, "grpc" | "grpc/protobuf"))?;
    let message = format!("found {protocol:?}; the process's own telemetry is sent by grpc only");
    Some(Problem::at(format!("{at}.protocol"), message))
}

fn push(periodic: &Periodic, otlp: &Otlp) -> PushConfig {
    let headers: BTreeMap<_, _> =
        otlp.headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect();
    PushConfig {
        endpoint: otlp.endpoint.clone(),
        compression: otlp.compression,
        headers: (!headers.is_empty()).then_some(headers),
        tls: TlsConfig {
            ca_file: otlp.certificate.clone(),
            cert_file: otlp.client_certificate.clone(),
            key_file: otlp.client_key.clone(),
            insecure: otlp.insecure,
            insecure_skip_verify: false,
        },
        timeout: otlp.timeout.or(periodic.timeout).map(|ms| Duration::from_millis(ms).into()),
        interval: Duration::from_millis(periodic.interval).into(),
        ..PushConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use otel_tcpretrans_pipeline::config::Interval;

    use crate::self_telemetry::MetricsConfig;

    fn parsed(yaml: &str) -> MetricsConfig {
        serde_yaml::from_str(yaml).expect(yaml)
    }

    /// As the Collector's documentation has it.
    const BOTH: &str = "
readers:
  - pull: { exporter: { prometheus: { host: '::1', port: 9999 } } }
  - periodic:
      interval: 5000
      exporter:
        otlp: { protocol: grpc, endpoint: 'backend:4317', insecure: true, headers: [{ name: a, value: b }] }
";

    #[test]
    fn readers_mean_what_the_short_forms_mean() {
        let short = parsed(BOTH).short().expect("valid").0;
        assert_eq!(short.prometheus.as_deref(), Some("[::1]:9999"));
        let push = short.otlp.expect("a periodic reader");
        assert_eq!((push.endpoint.as_deref(), push.interval), (Some("backend:4317"), Interval::from_secs(5)));
        assert_eq!(push.headers.expect("headers")["a"].reveal().unwrap(), "b");
        assert_eq!(push.tls.insecure, Some(true));
        assert!(parsed(BOTH).validate(&|_| None).is_empty());
        let pull = parsed("readers: [{ pull: { exporter: { prometheus: {} } } }]").short().expect("valid").0;
        assert_eq!((pull.prometheus.as_deref(), pull.otlp), (Some("localhost:8888"), None));
        assert_eq!(parsed("readers: []").short().expect("valid").0.prometheus, None);
    }

    #[test]
    fn what_is_wrong_is_found_with_its_place() {
        for (yaml, path) in [
            ("readers: [{}]", "readers.0"),
            ("readers: [{ pull: {} }]", "readers.0.pull.exporter"),
            ("readers: [{ periodic: {} }]", "readers.0.periodic.exporter"),
            (
                "readers: [{ periodic: { exporter: { otlp: { protocol: http/protobuf } } } }]",
                "readers.0.periodic.exporter.otlp.protocol",
            ),
            (
                "readers: [{ periodic: { exporter: { otlp: { endpoint: nope } } } }]",
                "readers.0.periodic.exporter.otlp.endpoint",
            ),
            (
                "readers: [{ pull: { exporter: { prometheus: { without_units: false } } } }]",
                "readers.0.pull.exporter.prometheus.without_units",
            ),
            ("{ prometheus: null, readers: [] }", "readers"),
        ] {
            let found = parsed(yaml).validate(&|_| None);
            assert_eq!(found.iter().map(|problem| &*problem.path).collect::<Vec<_>>(), [path], "{yaml}");
        }
    }
}
