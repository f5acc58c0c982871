//! What leaves the process: the exporters of the pipelines, and the process's own telemetry.
//!
//! Only this crate knows gRPC and HTTP.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))] // a test may fail

pub mod debug;
mod key_values;
mod line;
pub mod otlp;
pub mod resource;
#[cfg(test)]
mod sample;
pub mod secret;
pub mod self_telemetry;

/// The environment's variables by name. A function, so that what depends on them can be tried without touching them.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The process's own [`Environment`]. A variable that is not UTF-8 counts as unset.
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Name of the instrumentation scope of everything that leaves.
pub const SCOPE_NAME: &str = "otel-tcpretrans";

/// The program's version, which the whole workspace shares.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Problems in one line.
fn joined(problems: &[otel_tcpretrans_pipeline::config::Problem]) -> String {
    let texts = problems.iter().map(|problem| match problem.path.as_str() {
        "" => problem.message.clone(),
        path => format!("{path}: {}", problem.message),
    });
    texts.collect::<Vec<_>>().join("; ")
}
