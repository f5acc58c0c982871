//! The section of an `otlp` or `otlp_http` exporter in the configuration file. `settings` adds the environment and the
//! defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::{Interval, Problem};
use otel_tcpretrans_pipeline::delivery::{Compression, QueueConfig, RetryConfig};
use otel_tcpretrans_pipeline::metric::Temporality;
use serde::{Deserialize, Serialize};

use super::level::CompressionParams;
use super::protocol::{Format, Kind, Protocol};
use super::settings::{self, Fields, HttpFields, Settings};
use super::tls::TlsConfig;
use super::{grpc, http};
use crate::Environment;
use crate::secret::Secret;

/// Configuration of an `otlp` or `otlp_http` exporter. If a key is not set (`None`), a variable `OTEL_EXPORTER_OTLP_*`
/// may set it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `http://HOST:PORT` (plaintext), `https://HOST:PORT` (TLS), or `HOST:PORT` with `tls.insecure` (plaintext) or
    /// without (TLS). Default `http://localhost:4317`. Of `otlp_http` it may have a path, behind which `/v1/logs` or
    /// `/v1/metrics` is put, and the default is `http://localhost:4318`.
    pub endpoint: Option<String>,
    /// `otlp_http`: the URL for logs, taken as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs_endpoint: Option<String>,
    /// `otlp_http`: the URL for metrics, taken as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_endpoint: Option<String>,
    /// `otlp_http`: the form of requests. Default `proto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Format>,
    /// `otlp_http`: the proxy, such as `http://user:password@proxy:3128`. Default: what `HTTPS_PROXY`, `HTTP_PROXY`,
    /// `ALL_PROXY` and `NO_PROXY` say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<Secret>,
    /// Compression of requests. Default `gzip`.
    pub compression: Option<Compression>,
    /// Parameters of the compression.
    #[serde(skip_serializing_if = "CompressionParams::is_empty")]
    pub compression_params: CompressionParams,
    /// Headers (gRPC: metadata) sent with each request.
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
    pub fn validate(&self, kind: Kind, environment: &Environment<'_>) -> Vec<Problem> {
        let mut problems = self.out_of_place(kind);
        for signal in Signal::ALL {
            let settings = self.resolve(kind, signal, environment);
            let started = settings.and_then(|settings| match settings.protocol {
                Protocol::Grpc => grpc::check_files(&settings),
                Protocol::Http(_) => http::check(&settings),
            });
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

    /// The files that it names, itself or by the environment: certificates, keys, and those in headers.
    pub fn files(&self, kind: Kind, environment: &Environment<'_>) -> Vec<PathBuf> {
        let resolved =
            Signal::ALL.into_iter().filter_map(|signal| self.resolve(kind, signal, environment).ok());
        resolved.flat_map(|settings| settings.files()).collect()
    }

    /// The keys of `otlp_http` in another exporter.
    fn out_of_place(&self, kind: Kind) -> Vec<Problem> {
        let keys = [
            ("logs_endpoint", self.logs_endpoint.is_some()),
            ("metrics_endpoint", self.metrics_endpoint.is_some()),
            ("encoding", self.encoding.is_some()),
            ("proxy_url", self.proxy_url.is_some()),
        ];
        let set = keys.into_iter().filter(|(_, is_set)| *is_set && kind != Kind::OtlpHttp);
        set.map(|(key, _)| Problem::at(key, "this key is for OTLP over HTTP: use the exporter otlp_http"))
            .collect()
    }

    /// The settings for a signal: the configuration's values, then those of the environment, then the defaults.
    ///
    /// # Errors
    /// All problems of these values.
    pub fn resolve(
        &self,
        kind: Kind,
        signal: Signal,
        environment: &Environment<'_>,
    ) -> Result<Settings, Vec<Problem>> {
        settings::resolve(&self.fields(kind, signal), signal, environment)
    }

    /// This configuration with the values of the environment and the defaults filled in, as `print-config` shows it. A
    /// key stays unset if the environment has different values for logs and for metrics.
    ///
    /// # Errors
    /// As [`Config::resolve`].
    pub fn filled_in(&self, kind: Kind, environment: &Environment<'_>) -> Result<Config, Vec<Problem>> {
        let logs = self.resolve(kind, Signal::Logs, environment)?;
        let metrics = self.resolve(kind, Signal::Metrics, environment)?;
        let tls = |of: &Settings| TlsConfig { insecure: Some(!of.endpoint.is_tls()), ..of.tls.clone() };
        let shared = match logs.protocol {
            Protocol::Grpc => same(logs.endpoint.to_string(), metrics.endpoint.to_string()),
            Protocol::Http(_) => self.endpoint.clone(), // the resolved ones have the path of a signal
        };
        let of_http = |own: &Option<String>, settings: &Settings| {
            let resolved = || settings.endpoint.uri().to_string();
            let is_open = own.is_none() && self.endpoint.is_none() && kind == Kind::OtlpHttp;
            own.clone().or_else(|| is_open.then(resolved))
        };
        let encoding = match (kind, logs.protocol, metrics.protocol) {
            (Kind::OtlpHttp, Protocol::Http(logs), Protocol::Http(metrics)) => same(logs, metrics),
            _ => None,
        };
        Ok(Config {
            endpoint: shared,
            logs_endpoint: of_http(&self.logs_endpoint, &logs),
            metrics_endpoint: of_http(&self.metrics_endpoint, &metrics),
            encoding,
            compression: same(logs.compression, metrics.compression),
            tls: same(tls(&logs), tls(&metrics)).unwrap_or_else(|| self.tls.clone()),
            headers: same(logs.headers, metrics.headers),
            timeout: same(logs.timeout, metrics.timeout).map(Interval::from),
            sending_queue: self.sending_queue.filled_in(),
            ..self.clone()
        })
    }

    fn fields(&self, kind: Kind, signal: Signal) -> Fields<'_> {
        let own_endpoint = match signal {
            Signal::Logs => self.logs_endpoint.as_deref(),
            Signal::Metrics => self.metrics_endpoint.as_deref(),
        };
        Fields {
            kind,
            http: HttpFields { own_endpoint, encoding: self.encoding, proxy_url: self.proxy_url.as_ref() },
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
