//! The signals of OpenTelemetry that pipelines carry.

use strum::IntoStaticStr;

/// What kind of telemetry a pipeline carries.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, strum::EnumString, strum::Display,
)]
#[strum(serialize_all = "lowercase")]
pub enum Signal {
    /// Log records.
    Logs,
    /// Metric points.
    Metrics,
}

impl Signal {
    /// Both signals.
    pub const ALL: [Signal; 2] = [Signal::Logs, Signal::Metrics];
}
