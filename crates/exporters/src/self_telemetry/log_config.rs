//! `service.telemetry.logs.otlp`: the backend to which the process's own log is sent.

use std::collections::BTreeMap;
use std::path::PathBuf;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::{Interval, Problem, fit};
use serde::{Deserialize, Serialize};

use crate::Environment;
use crate::otlp::{self, Compression, Fields, HttpFields, Kind, Settings, TlsConfig};
use crate::secret::Secret;

const DEFAULT_INTERVAL: Interval = Interval::from_secs(1);

/// A backend of OTLP over gRPC for the process's own log. The keys are those of `service.telemetry.metrics.otlp`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // as in `otlp::Config`
pub struct LogPushConfig {
    pub endpoint: Option<String>,
    pub compression: Option<Compression>,
    pub headers: Option<BTreeMap<String, Secret>>,
    pub tls: TlsConfig,
    pub timeout: Option<Interval>,
    /// How long a record waits for others at most. Default 1 s.
    pub interval: Interval,
}

impl Default for LogPushConfig {
    fn default() -> Self {
        LogPushConfig {
            endpoint: None,
            compression: None,
            headers: None,
            tls: TlsConfig::default(),
            timeout: None,
            interval: DEFAULT_INTERVAL,
        }
    }
}

impl LogPushConfig {
    /// Finds all problems that would keep the log from being sent. Paths are below `service.telemetry.logs.otlp`.
    pub fn validate(&self, environment: &Environment<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(fit(*self.interval).err().map(|message| Problem::at("interval", message)));
        let settings = self.resolve(environment);
        problems.extend(settings.and_then(|settings| otlp::check_files(&settings)).err().unwrap_or_default());
        problems
    }

    /// The files that it names, itself or by the environment: certificates, keys, and those in headers.
    pub fn files(&self, environment: &Environment<'_>) -> Vec<PathBuf> {
        self.resolve(environment).map(|settings| settings.files()).unwrap_or_default()
    }

    /// The settings of the connection: the configuration's values, then those of the environment, then the defaults.
    pub(super) fn resolve(&self, environment: &Environment<'_>) -> Result<Settings, Vec<Problem>> {
        let fields = Fields {
            kind: Kind::OwnTelemetry,
            http: HttpFields::default(),
            endpoint: self.endpoint.as_deref(),
            compression: self.compression,
            level: None,
            headers: self.headers.as_ref(),
            tls: &self.tls,
            timeout: self.timeout,
        };
        otlp::resolve(&fields, Signal::Logs, environment)
    }

    /// This configuration with the environment and the defaults filled in, as `print-config` shows it.
    ///
    /// # Errors
    /// All problems of the connection's values, in the configuration or in the environment.
    pub fn filled_in(&self, environment: &Environment<'_>) -> Result<LogPushConfig, Vec<Problem>> {
        let settings = self.resolve(environment)?;
        Ok(LogPushConfig {
            endpoint: Some(settings.endpoint.to_string()),
            compression: Some(settings.compression),
            headers: Some(settings.headers),
            tls: TlsConfig { insecure: Some(!settings.endpoint.is_tls()), ..settings.tls },
            timeout: Some(settings.timeout.into()),
            interval: self.interval,
        })
    }
}
