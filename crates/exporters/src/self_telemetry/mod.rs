//! The process's own telemetry: metrics by instruments of the OpenTelemetry API, scraped as Prometheus text and pushed as
//! OTLP, and the log as OTLP.

mod config;
mod connection;
mod error;
mod extension;
mod lifecycle;
mod logs;
mod process;
mod push;
mod push_config;
mod readers;
mod refresher;
mod scrape;

pub use config::MetricsConfig;
pub use error::TelemetryError;
pub use extension::TelemetryExtension;
pub use lifecycle::{RunningTelemetry, SelfTelemetry};
pub use logs::{LogBridge, OwnLogs, is_sent};
pub use process::register as register_process;
pub use push_config::{LogPushConfig, OwnLog, OwnMetrics, PushConfig, Pushed};
pub use readers::Reader;
