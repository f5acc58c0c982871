//! Everything that leaves the process: the exporters of the pipelines, and the process's own telemetry.
//!
//! This is the only crate that uses gRPC and HTTP.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))] // a test may fail

pub mod debug;
mod environment;
pub mod file;
#[cfg(test)]
mod fixtures;
pub mod health_check;
mod http;
mod key_values;
mod line;
pub mod otlp;
pub mod prometheus;
#[cfg(test)]
mod reference;
pub mod resource;
mod scope;
pub mod secret;
pub mod self_telemetry;
pub mod zpages;

pub use environment::{Environment, process_environment};
pub use scope::{SCOPE_NAME, VERSION};
