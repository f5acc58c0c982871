//! `service.telemetry.metrics`: where the process's own metrics go.

use std::path::PathBuf;

use opentelemetry_sdk::metrics::Temporality;
use otel_tcpretrans_pipeline::config::Problem;
use serde::{Deserialize, Serialize};

use super::push_config::{PushConfig, below_otlp};
use super::readers::{self, Meaning, Reader};
use crate::Environment;
use crate::http::is_listen_address;

/// The default address for scrapes, with the Collector's port.
const DEFAULT_ADDRESS: &str = "127.0.0.1:8888";
const TEMPORALITY: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";

/// Configuration of the process's own metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// `HOST:PORT` where `/metrics` is served; `null` serves it nowhere. Default `127.0.0.1:8888`.
    pub prometheus: Option<String>,
    /// The backend to push to. The default, `null`, pushes nowhere.
    pub otlp: Option<PushConfig>,
    /// The same in the Collector's words, in place of the two others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readers: Option<Vec<Reader>>,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        MetricsConfig { prometheus: Some(DEFAULT_ADDRESS.to_owned()), otlp: None, readers: None }
    }
}

impl MetricsConfig {
    /// Finds all problems that would keep the self-telemetry from starting. They can be in the configuration, in the
    /// environment variables that set what the configuration does not, or in a file that one of these names. Paths are
    /// below `service.telemetry.metrics`.
    pub fn validate(&self, environment: &Environment<'_>) -> Vec<Problem> {
        let (short, place) = match self.short() {
            Ok(short) => short,
            Err(problems) => return problems,
        };
        let found = short.validate_short(environment);
        let in_readers = |problem: Problem| match problem.path.strip_prefix("otlp") {
            Some(rest) if self.readers.is_some() => Problem { path: format!("{place}{rest}"), ..problem },
            _ => problem,
        };
        found.into_iter().map(in_readers).collect()
    }

    /// This configuration without `readers`, and where in it the values of `otlp` are from.
    ///
    /// # Errors
    /// What is wrong in `readers`.
    pub(super) fn short(&self) -> Result<(MetricsConfig, String), Vec<Problem>> {
        let Some(readers) = &self.readers else { return Ok((self.clone(), String::new())) };
        let default = MetricsConfig::default();
        if self.prometheus != default.prometheus || self.otlp != default.otlp {
            return Err(vec![Problem::at(
                "readers",
                "contradicts `prometheus` or `otlp` beside it: use one form",
            )]);
        }
        let Meaning { prometheus, otlp, place } = readers::meaning(readers)?;
        Ok((MetricsConfig { prometheus, otlp, readers: None }, place))
    }

    /// The files that it names, itself or by the environment: certificates, keys, and those in headers.
    pub fn files(&self, environment: &Environment<'_>) -> Vec<PathBuf> {
        let push = self.short().ok().and_then(|(short, _)| short.otlp);
        push.map(|push| push.files(environment)).unwrap_or_default()
    }

    fn validate_short(&self, environment: &Environment<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(address) = self.prometheus.as_deref().filter(|address| !is_listen_address(address)) {
            problems.push(Problem::at(
                "prometheus",
                format!("expected HOST:PORT, such as {DEFAULT_ADDRESS}, found {address:?}"),
            ));
        }
        if let Some(push) = &self.otlp {
            problems.extend(below_otlp(push.wrong_interval().into_iter().collect()));
            problems.extend(temporality(environment).err());
            problems.extend(below_otlp(push.wrong_settings(environment)));
        }
        problems
    }

    /// This configuration with the environment and the defaults filled in, as `print-config` shows it.
    ///
    /// # Errors
    /// All problems of the connection's values, in the configuration or in the environment.
    pub fn filled_in(&self, environment: &Environment<'_>) -> Result<MetricsConfig, Vec<Problem>> {
        let Some(push) = self.otlp.as_ref().filter(|_| self.readers.is_none()) else {
            return Ok(self.clone());
        };
        let push = push.filled_in(environment).map_err(below_otlp)?;
        Ok(MetricsConfig { otlp: Some(push), ..self.clone() })
    }
}

/// The temporality of what is pushed: the environment's, or else cumulative (OpenTelemetry specification, "OTLP Metrics
/// Exporter").
///
/// # Errors
/// The variable has another value than the specification's.
pub(super) fn temporality(environment: &Environment<'_>) -> Result<Temporality, Problem> {
    match environment(TEMPORALITY).filter(|value| !value.trim().is_empty()) {
        None => Ok(Temporality::Cumulative),
        Some(value) => value.trim().parse().map_err(|()| {
            Problem::at(
                "otlp",
                format!("{TEMPORALITY}: expected cumulative, delta or lowmemory, found {value:?}"),
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use otel_tcpretrans_pipeline::config::Interval;

    use super::*;
    use crate::otlp::Compression;

    fn parsed(yaml: &str) -> MetricsConfig {
        serde_yaml::from_str(yaml).expect(yaml)
    }

    #[test]
    fn null_differs_from_a_key_that_is_not_set() {
        assert_eq!(parsed("{}").prometheus.as_deref(), Some("127.0.0.1:8888"));
        assert_eq!(parsed("prometheus: null").prometheus, None);
        assert_eq!(parsed("otlp: null").otlp, None);
        assert_eq!(parsed("otlp: {}").otlp, Some(PushConfig::default()));
        assert_eq!(parsed("otlp: { interval: 5s }").otlp.expect("named").interval, Interval::from_secs(5));
        assert!(serde_yaml::from_str::<MetricsConfig>("otlp: { intervall: 5s }").is_err());
    }

    #[test]
    fn all_problems_with_their_paths() {
        let config =
            parsed("{ prometheus: nope, otlp: { endpoint: nope, interval: 0s, tls: { key_file: k } } }");
        let paths: Vec<_> = config.validate(&|_| None).into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["prometheus", "otlp.interval", "otlp.endpoint", "otlp.tls.key_file"]);
    }

    #[test]
    fn the_environment_and_files_are_checked_if_it_pushes() {
        for (name, value, path) in [
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "nonsense", "otlp.endpoint"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "nonsense", "otlp"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere", "otlp.tls.ca_file"),
        ] {
            let environment = |asked: &str| match asked {
                "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("https://b:1".to_owned()),
                _ => (asked == name).then(|| value.to_owned()),
            };
            let found = parsed("otlp: {}").validate(&environment);
            assert_eq!(found.iter().map(|problem| &*problem.path).collect::<Vec<_>>(), [path], "{name}");
            assert!(parsed("{}").validate(&environment).is_empty());
        }
    }

    #[test]
    fn is_shown_filled_in() {
        let environment =
            |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "https://b:1".to_owned());
        let shown = parsed("otlp: {}").filled_in(&environment).expect("filled in").otlp.expect("named");
        assert_eq!(shown.endpoint.as_deref(), Some("https://b:1"));
        assert_eq!(
            (shown.compression, shown.timeout),
            (Some(Compression::Gzip), Some(Interval::from_secs(5)))
        );
        let wrong = |name: &str| (name == "OTEL_EXPORTER_OTLP_PROTOCOL").then(|| "http/json".to_owned());
        assert_eq!(parsed("otlp: {}").filled_in(&wrong).expect_err("not built")[0].path, "otlp.endpoint");
        assert_eq!(parsed("{}").filled_in(&wrong).expect("no push"), parsed("{}"));
    }
}
