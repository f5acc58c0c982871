//! Name and version of the instrumentation scope of all telemetry that this program sends.

/// Name of the instrumentation scope.
pub const SCOPE_NAME: &str = "otel-tcpretrans";

/// The program's version, which all crates of the workspace share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
