//! The `otlp` exporter's section of the configuration file. `settings` adds the environment and the defaults.

use std::collections::BTreeMap;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::{Interval, Problem};
use otel_tcpretrans_pipeline::delivery::{Compression, QueueConfig, RetryConfig};
use otel_tcpretrans_pipeline::metric::Temporality;
use serde::{Deserialize, Serialize};

use super::grpc;
use super::level::CompressionParams;
use super::settings::{self, Fields, Settings};
use super::tls::TlsConfig;
use crate::Environment;
use crate::secret::Secret;

/// Configuration of an `otlp` exporter. If a key is not set (`None`), a variable `OTEL_EXPORTER_OTLP_*` may set it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `http://HOST:PORT` (plaintext), `https://HOST:PORT` (TLS), or `HOST:PORT` with `tls.insecure` (plaintext) or
    /// without (TLS). Default `http://localhost:4317`.
    pub endpoint: Option<String>,
    /// Compression of requests. Default `gzip`.
    pub compression: Option<Compression>,
    /// Parameters of the compression.
    #[serde(skip_serializing_if = "CompressionParams::is_empty")]
    pub compression_params: CompressionParams,
    /// gRPC metadata sent with each request.
    pub headers: Option<BTreeMap<String, Secret>>,
    /// TLS.
    pub tls: TlsConfig,
    /// How long one attempt may take, including the time to connect. Default 5 s.
    pub timeout: Option<Interval>,
    /// The temporality of metrics. Default: the pipeline's `aggregate.temporality`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporality: Option<Temporality>,
    /// Whether a log record has a readable line as its body. The line repeats what the attributes say. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<bool>,
    /// Retries.
    pub retry_on_failure: RetryConfig,
    /// The queue between pipeline and backend.
    pub sending_queue: QueueConfig,
}

impl Config {
    /// Finds all problems that would keep the exporter from starting, for logs or for metrics. They can be in the
    /// configuration, in the environment variables for the signal, or in a file that one of these names.
    pub fn validate(&self, environment: &Environment<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for signal in Signal::ALL {
            let started = self.resolve(signal, environment).and_then(|settings| grpc::check_files(&settings));
            for problem in started.err().unwrap_or_default() {
                // A problem of the configuration itself is found for both signals, in the same words.
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        problems.extend(Problem::below("retry_on_failure", self.retry_on_failure.validate()));
        problems.extend(Problem::below("sending_queue", self.sending_queue.validate()));
        problems
    }

    /// The settings for a signal: the configuration's values, then those of the environment, then the defaults.
    ///
    /// # Errors
    /// All problems of these values.
    pub fn resolve(&self, signal: Signal, environment: &Environment<'_>) -> Result<Settings, Vec<Problem>> {
        settings::resolve(&self.fields(), signal, environment)
    }

    /// This configuration with the values of the environment and the defaults filled in, as `print-config` shows it. A
    /// key stays unset if the environment has different values for logs and for metrics.
    ///
    /// # Errors
    /// As [`Config::resolve`].
    pub fn filled_in(&self, environment: &Environment<'_>) -> Result<Config, Vec<Problem>> {
        let logs = self.resolve(Signal::Logs, environment)?;
        let metrics = self.resolve(Signal::Metrics, environment)?;
        let tls = |of: &Settings| TlsConfig { insecure: Some(!of.endpoint.is_tls()), ..of.tls.clone() };
        Ok(Config {
            endpoint: same(logs.endpoint.to_string(), metrics.endpoint.to_string()),
            compression: same(logs.compression, metrics.compression),
            tls: same(tls(&logs), tls(&metrics)).unwrap_or_else(|| self.tls.clone()),
            headers: same(logs.headers, metrics.headers),
            timeout: same(logs.timeout, metrics.timeout).map(Interval::from),
            ..self.clone()
        })
    }

    fn fields(&self) -> Fields<'_> {
        Fields {
            endpoint: self.endpoint.as_deref(),
            compression: self.compression,
            level: self.compression_params.level,
            headers: self.headers.as_ref(),
            tls: &self.tls,
            timeout: self.timeout,
        }
    }
}

fn same<T: PartialEq>(a: T, b: T) -> Option<T> {
    (a == b).then_some(a)
}
