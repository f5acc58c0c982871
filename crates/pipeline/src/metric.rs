//! Metric points: what `aggregate` makes of records, and what exporters ship.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::attribute::{Key, OwnedValue};

/// The metrics that leave; all are monotonic sums of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// Segments retransmitted.
    Retransmits,
    /// skbs retransmitted; under GSO one is many segments.
    Events,
    /// Payload bytes retransmitted.
    Io,
    /// Attempts that the kernel itself failed.
    Failures,
}

impl Metric {
    /// The metric's name.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Retransmits => "system.network.tcp.retransmits",
            Metric::Events => "system.network.tcp.retransmit.events",
            Metric::Io => "system.network.tcp.retransmit.io",
            Metric::Failures => "system.network.tcp.retransmit.failures",
        }
    }

    /// The metric's unit, in UCUM.
    pub fn unit(self) -> &'static str {
        match self {
            Metric::Retransmits => "{segment}",
            Metric::Events | Metric::Failures => "{event}",
            Metric::Io => "By",
        }
    }

    /// The metric's description.
    pub fn description(self) -> &'static str {
        match self {
            Metric::Retransmits => "TCP segments retransmitted, as the kernel's RetransSegs counts them",
            Metric::Events => "TCP retransmissions: skbs, each of one or more segments",
            Metric::Io => "TCP payload bytes retransmitted",
            Metric::Failures => "TCP retransmissions that the kernel attempted and failed to send",
        }
    }
}

/// What a sum's value is counted from (OTLP `AggregationTemporality`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temporality {
    /// From the series' start.
    #[default]
    Cumulative,
    /// From the last report.
    Delta,
}

/// One value of one series of a monotonic sum.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricPoint {
    /// Which metric.
    pub metric: Metric,
    /// The series' attributes, shared by the points of that series.
    pub attributes: Arc<[(Key, OwnedValue)]>,
    /// Cumulative or delta.
    pub temporality: Temporality,
    /// Start of what `value` counts, ns since the Unix epoch.
    pub start_unix_nano: u64,
    /// End of what `value` counts, ns since the Unix epoch.
    pub time_unix_nano: u64,
    /// The sum.
    pub value: u64,
}
