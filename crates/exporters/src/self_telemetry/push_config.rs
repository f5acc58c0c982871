//! `service.telemetry.metrics.otlp`: the backend to which the process's own metrics are pushed.

use std::collections::BTreeMap;

use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::config::{Interval, Problem};
use serde::{Deserialize, Serialize};

use crate::Environment;
use crate::otlp::{self, Compression, Fields, HttpFields, Kind, Settings, TlsConfig};
use crate::secret::Secret;

const DEFAULT_INTERVAL: Interval = Interval::from_secs(60);

/// A backend of OTLP over gRPC for the process's own metrics. The connection's keys are those of the `otlp` exporter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // as in `otlp::Config`
pub struct PushConfig {
    pub endpoint: Option<String>,
    pub compression: Option<Compression>,
    pub headers: Option<BTreeMap<String, Secret>>,
    pub tls: TlsConfig,
    pub timeout: Option<Interval>,
    /// Time between two pushes. Default 60 s.
    pub interval: Interval,
}

impl Default for PushConfig {
    fn default() -> Self {
        PushConfig {
            endpoint: None,
            compression: None,
            headers: None,
            tls: TlsConfig::default(),
            timeout: None,
            interval: DEFAULT_INTERVAL,
        }
    }
}

impl PushConfig {
    /// The settings of the connection: the configuration's values, then those of the environment, then the defaults.
    pub(super) fn resolve(&self, environment: &Environment<'_>) -> Result<Settings, Vec<Problem>> {
        otlp::resolve(&self.fields(), Signal::Metrics, environment).map_err(below_otlp)
    }

    fn fields(&self) -> Fields<'_> {
        Fields {
            kind: Kind::OwnTelemetry,
            http: HttpFields::default(),
            endpoint: self.endpoint.as_deref(),
            compression: self.compression,
            level: None,
            headers: self.headers.as_ref(),
            tls: &self.tls,
            timeout: self.timeout,
        }
    }
}

/// Turns problems of `service.telemetry.metrics.otlp` into problems of `service.telemetry.metrics`.
pub(super) fn below_otlp(problems: Vec<Problem>) -> Vec<Problem> {
    Problem::below("otlp", problems)
}
