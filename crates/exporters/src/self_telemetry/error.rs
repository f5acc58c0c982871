//! Why the process's own metrics can't be served or pushed.

use std::io;

use otel_tcpretrans_pipeline::config::Problem;

/// Why the process's own metrics can't be served or pushed.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Something is wrong in the configuration, in the environment variables that set what the configuration does not,
    /// or in a file that one of these names.
    #[error("service.telemetry.metrics: {}", Problem::join(.0))]
    Configuration(Vec<Problem>),
    /// The same of the process's own log.
    #[error("service.telemetry.logs.otlp: {}", Problem::join(.0))]
    LogConfiguration(Vec<Problem>),
    /// The address for scrapes can't be listened on.
    #[error("service.telemetry.metrics.prometheus: can't listen on {address}: {source}")]
    Bind {
        /// The address, as configured.
        address: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The OpenTelemetry SDK reported an error.
    #[error("service.telemetry: {0}")]
    Sdk(String),
}
