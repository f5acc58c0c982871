//! Sends the process's own log as OTLP: what `tracing` logs becomes log records by opentelemetry-appender-tracing, the SDK
//! gathers them in a bounded queue, and opentelemetry-otlp sends them.
//!
//! Sending must not make records that have to be sent. So what the crates of the transport log is left out, and what this
//! file logs, too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{
    BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, SdkLogger, SdkLoggerProvider,
};
use otel_tcpretrans_pipeline::say_once::SayOnce;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tracing::{info, warn};

use super::connection::connected;
use super::error::TelemetryError;
use super::push_config::LogPushConfig;
use crate::Environment;
use crate::otlp::Settings;
use crate::resource::Resource;

/// What `tracing` logs goes in here and becomes log records.
pub type LogBridge = OpenTelemetryTracingBridge<SdkLoggerProvider, SdkLogger>;

/// Crates that take part in sending, and this file.
const SENDERS: [&str; 10] = [
    "h2",
    "hyper",
    "hyper_util",
    "tonic",
    "tower",
    "rustls",
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry_otlp",
    // What crates say by the crate `log`. Some of these take part, and their targets are not known here.
    "log",
];

/// Sends the process's own log until it is shut down.
pub struct OwnLogs {
    provider: SdkLoggerProvider,
}

impl OwnLogs {
    /// Sets it up. It connects when it first has something to send. Call it within a tokio runtime, which has to have threads
    /// of its own.
    ///
    /// # Errors
    /// Something is wrong in the configuration, in the environment or in a certificate file.
    pub fn start(
        config: &LogPushConfig,
        environment: &Environment<'_>,
        resource: &Resource,
    ) -> Result<OwnLogs, TelemetryError> {
        let settings = config.resolve(environment).map_err(TelemetryError::LogConfiguration)?;
        let resource = resource.to_sdk();
        let sender = Sender {
            current: Mutex::new(Arc::new(exporter(&settings, &resource)?)),
            settings,
            resource: resource.clone(),
            runtime: Handle::current(),
            outage: SayOnce::default(),
        };
        let batch = BatchConfigBuilder::default().with_scheduled_delay(*config.interval).build();
        let processor = BatchLogProcessor::builder(sender).with_batch_config(batch).build();
        let provider =
            SdkLoggerProvider::builder().with_resource(resource).with_log_processor(processor).build();
        Ok(OwnLogs { provider })
    }

    /// Where the log goes in. Give it only what [`is_sent`] allows.
    pub fn bridge(&self) -> LogBridge {
        OpenTelemetryTracingBridge::new(&self.provider)
    }

    /// Sends what has not been sent yet, at most for this time. It blocks.
    pub fn shutdown(&self, within: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(within) {
            tracing::debug!(target: TARGET, %error, "the end of the process's own log was not sent");
        }
    }
}

/// Whether what is logged under this target is sent.
pub fn is_sent(target: &str) -> bool {
    let of = target.split("::").next().unwrap_or_default();
    target != TARGET && !SENDERS.contains(&of)
}

const TARGET: &str = module_path!();

fn exporter(
    settings: &Settings,
    resource: &opentelemetry_sdk::Resource,
) -> Result<opentelemetry_otlp::LogExporter, TelemetryError> {
    let builder = opentelemetry_otlp::LogExporter::builder().with_tonic();
    let builder = connected(builder, settings).map_err(TelemetryError::LogConfiguration)?;
    let mut exporter = builder.build().map_err(|error| TelemetryError::Sdk(error.to_string()))?;
    exporter.set_resource(resource);
    Ok(exporter)
}

/// opentelemetry-otlp's exporter, with a bound on time, and with a word on stderr when it fails: the SDK says nothing.
#[derive(Debug)]
struct Sender {
    current: Mutex<Arc<opentelemetry_otlp::LogExporter>>,
    settings: Settings,
    resource: opentelemetry_sdk::Resource,
    /// The SDK sends from a thread of its own, which has no timers.
    runtime: Handle,
    outage: SayOnce,
}

impl LogExporter for Sender {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let current = Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner));
        let attempt = {
            let _timers = self.runtime.enter();
            timeout(self.settings.timeout, current.export(batch))
        };
        let result = match attempt.await {
            Ok(result) => result,
            Err(_) => {
                self.connect_again();
                Err(OTelSdkError::Timeout(self.settings.timeout))
            }
        };
        let endpoint = &self.settings.endpoint;
        match &result {
            Err(error) if self.outage.begin() => {
                warn!(%endpoint, %error, "can't send the process's own log; this is logged once until it works");
            }
            Ok(()) => {
                if let Some(failures) = self.outage.end() {
                    info!(%endpoint, failures, "the process's own log is sent again");
                }
            }
            Err(_) => {}
        }
        result
    }
}

impl Sender {
    /// A silent peer would keep the connection of before. Without another one, that of before is tried again.
    fn connect_again(&self) {
        let _timers = self.runtime.enter();
        if let Ok(next) = exporter(&self.settings, &self.resource) {
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sending_logs_is_not_sent() {
        for target in ["h2::codec", "hyper_util::client", "tonic", "opentelemetry_sdk", "log", TARGET] {
            assert!(!is_sent(target), "{target}");
        }
        for target in ["otel_tcpretrans", "otel_tcpretrans_exporters::self_telemetry::push", "hyperspace"] {
            assert!(is_sent(target), "{target}");
        }
    }
}
