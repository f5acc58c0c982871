//! The process's own metrics: instruments of the OpenTelemetry API, scraped as Prometheus text and pushed as OTLP.

mod config;
mod error;
mod extension;
mod lifecycle;
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
pub use process::register as register_process;
pub use push_config::PushConfig;
pub use readers::Reader;
