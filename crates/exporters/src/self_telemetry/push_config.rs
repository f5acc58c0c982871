//! `service.telemetry.metrics.otlp` and `service.telemetry.logs.otlp`: the backends to which the process's own telemetry is
//! pushed.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::path::PathBuf;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::{Interval, Problem, fit};
use serde::{Deserialize, Serialize};

use crate::Environment;
use crate::otlp::{self, Compression, Fields, HttpFields, Kind, Settings, TlsConfig};
use crate::secret::Secret;

/// What is pushed.
pub trait Pushed: Clone + Debug + PartialEq {
    /// Decides which variables of the environment count.
    const SIGNAL: Signal;
    /// The default of `interval`.
    const INTERVAL: Interval;
}

/// The process's own metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnMetrics;

impl Pushed for OwnMetrics {
    const SIGNAL: Signal = Signal::Metrics;
    const INTERVAL: Interval = Interval::from_secs(60);
}

/// The process's own log.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnLog;

impl Pushed for OwnLog {
    const SIGNAL: Signal = Signal::Logs;
    const INTERVAL: Interval = Interval::from_secs(1);
}

/// The backend of the process's own log.
pub type LogPushConfig = PushConfig<OwnLog>;

/// A backend of OTLP over gRPC. The connection's keys are those of the `otlp` exporter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, bound = "Of: Pushed")]
pub struct PushConfig<Of = OwnMetrics> {
    /// As in the exporter `otlp`.
    pub endpoint: Option<String>,
    /// As in the exporter `otlp`.
    pub compression: Option<Compression>,
    /// As in the exporter `otlp`.
    pub headers: Option<BTreeMap<String, Secret>>,
    /// TLS, as in the exporter `otlp`.
    pub tls: TlsConfig,
    /// As in the exporter `otlp`.
    pub timeout: Option<Interval>,
    /// Of metrics: time between two pushes, by default 60 s. Of the log: how long a record waits for others at most, by
    /// default 1 s.
    pub interval: Interval,
    #[serde(skip)]
    pub(super) of: PhantomData<Of>,
}

impl<Of: Pushed> Default for PushConfig<Of> {
    fn default() -> Self {
        PushConfig {
            endpoint: None,
            compression: None,
            headers: None,
            tls: TlsConfig::default(),
            timeout: None,
            interval: Of::INTERVAL,
            of: PhantomData,
        }
    }
}

impl<Of: Pushed> PushConfig<Of> {
    /// Finds all problems that would keep it from being used. Paths are below this section.
    pub fn validate(&self, environment: &Environment<'_>) -> Vec<Problem> {
        self.wrong_interval().into_iter().chain(self.wrong_settings(environment)).collect()
    }

    /// What is wrong with `interval`.
    pub(super) fn wrong_interval(&self) -> Option<Problem> {
        fit(*self.interval).err().map(|message| Problem::at("interval", message))
    }

    /// What is wrong with the connection's values, and with the files that they name.
    pub(super) fn wrong_settings(&self, environment: &Environment<'_>) -> Vec<Problem> {
        let settings = self.resolve(environment);
        settings.and_then(|settings| otlp::check_files(&settings)).err().unwrap_or_default()
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
        otlp::resolve(&fields, Of::SIGNAL, environment)
    }

    /// This configuration with the environment and the defaults filled in, as `print-config` shows it.
    ///
    /// # Errors
    /// All problems of the connection's values, in the configuration or in the environment.
    pub fn filled_in(&self, environment: &Environment<'_>) -> Result<Self, Vec<Problem>> {
        let settings = self.resolve(environment)?;
        Ok(PushConfig {
            endpoint: Some(settings.endpoint.to_string()),
            compression: Some(settings.compression),
            headers: Some(settings.headers),
            tls: TlsConfig { insecure: Some(!settings.endpoint.is_tls()), ..settings.tls },
            timeout: Some(settings.timeout.into()),
            interval: self.interval,
            of: PhantomData,
        })
    }
}

/// Turns problems of `service.telemetry.metrics.otlp` into problems of `service.telemetry.metrics`.
pub(super) fn below_otlp(problems: Vec<Problem>) -> Vec<Problem> {
    Problem::below("otlp", problems)
}
