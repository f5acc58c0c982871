//! Metric points, which metrics pipelines carry and exporters send. They do not depend on the component that made them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::attribute::{Key, OwnedValue};
use crate::chunk::Chunks;

/// The description of a metric. The component that makes the points of the metric defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// The metric's name.
    pub name: &'static str,
    /// The unit of its values, in UCUM.
    pub unit: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// What it counts, in words for people.
    pub description: &'static str,
}

/// How the values of a metric behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A sum of whole numbers that never falls (OTLP `Sum`, `is_monotonic`).
    MonotonicSum,
    /// A sum of times that never falls. Its points have microseconds. Exporters show seconds (OTLP `Sum` of doubles).
    MonotonicTime,
}

/// A value as exporters show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number. OTLP's are signed, so it is cut off above the largest of these.
    Int(i64),
    /// Any number.
    Double(f64),
}

impl Kind {
    /// A point's value as exporters show it.
    pub fn number(self, value: u64) -> Number {
        match self {
            Kind::MonotonicSum => Number::Int(i64::try_from(value).unwrap_or(i64::MAX)),
            Kind::MonotonicTime => Number::Double(value as f64 / 1e6),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(number) => number.fmt(f),
            Number::Double(number) => number.fmt(f),
        }
    }
}

/// The moment from which a sum's value is counted (OTLP `AggregationTemporality`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temporality {
    /// From the start of the series.
    #[default]
    Cumulative,
    /// From the last report.
    Delta,
}

/// One series of a sum at one moment. It can be read in both temporalities. The exporter chooses one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricPoint {
    /// The metric.
    pub descriptor: &'static Descriptor,
    /// The attributes of the series. All of its points share them.
    pub attributes: Arc<[(Key, OwnedValue)]>,
    /// The moment of the point, in ns since the Unix epoch.
    pub time_unix_nano: u64,
    /// What was counted since the start of the series.
    pub total: Reading,
    /// What was counted since the last report.
    pub change: Reading,
    /// The temporality in which the point is read. At first it is the pipeline's, then that of the exporter which takes
    /// the point.
    pub temporality: Temporality,
}

/// The value of a sum, and the moment from which it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The moment from which `value` is counted, in ns since the Unix epoch. It is never later than the point's time.
    pub start_unix_nano: u64,
    /// The value, in the metric's unit; in microseconds for [`Kind::MonotonicTime`].
    pub value: u64,
}

impl MetricPoint {
    /// The reading in the point's temporality.
    pub fn reading(&self) -> Reading {
        match self.temporality {
            Temporality::Cumulative => self.total,
            Temporality::Delta => self.change,
        }
    }

    /// Whether the reading is worth sending. A change of 0 is not. A total always is, since backends forget a series
    /// that is not repeated.
    fn is_worth_sending(&self) -> bool {
        self.temporality == Temporality::Cumulative || self.change.value > 0
    }
}

/// The points that an exporter takes, in their order. They are in the exporter's temporality; if that is `None`, each
/// point keeps its own.
pub(crate) fn taken_in(
    temporality: Option<Temporality>,
    points: &Chunks<MetricPoint>,
) -> Chunks<MetricPoint> {
    let differs = |point: &MetricPoint| temporality.is_some_and(|wanted| wanted != point.temporality);
    if points.iter().all(|point| !differs(point) && point.is_worth_sending()) {
        return points.clone();
    }
    let taken = points
        .iter()
        .map(|point| MetricPoint { temporality: temporality.unwrap_or(point.temporality), ..point.clone() });
    taken.filter(MetricPoint::is_worth_sending).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::point;
    use Temporality::{Cumulative, Delta};

    /// Two points: a total of 5 that has not changed, and a total of 7 that has changed by 2.
    fn points(temporality: Temporality) -> Chunks<MetricPoint> {
        Chunks::from(
            [(5, 0), (7, 2)].map(|(total, change)| MetricPoint { temporality, ..point(total, change) }),
        )
    }

    fn taken(wanted: Option<Temporality>, from: Temporality) -> Vec<(Temporality, u64)> {
        let taken = taken_in(wanted, &points(from));
        taken.iter().map(|point| (point.temporality, point.reading().value)).collect()
    }

    #[test]
    fn the_exporters_temporality_wins_over_the_pipelines() {
        let (totals, changes) = ([(Cumulative, 5), (Cumulative, 7)], [(Delta, 2)]);
        for from in [Cumulative, Delta] {
            assert_eq!(taken(Some(Cumulative), from), totals);
            assert_eq!(taken(Some(Delta), from), changes, "only what has changed");
        }
        assert_eq!(taken(None, Cumulative), totals);
        assert_eq!(taken(None, Delta), changes);
    }

    #[test]
    fn points_that_need_no_change_are_not_copied() {
        let points = points(Cumulative);
        for wanted in [None, Some(Cumulative)] {
            let taken = taken_in(wanted, &points);
            assert!(taken.iter().zip(points.iter()).all(|(taken, point)| std::ptr::eq(taken, point)));
        }
    }
}
