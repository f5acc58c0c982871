//! An aggregator whose clocks the test sets, and its reports in a form that can be compared.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::attribute::Attribute;
use crate::config::Interval;
use crate::fixtures::{gap, record_to};
use crate::metric::{Descriptor, MetricPoint, Temporality};
use crate::processors::aggregate::{AggregateConfig, Aggregator};
use crate::record::{Amounts, Class, Record, RetransmitType, Segment};

pub(super) const SECOND: u64 = 1_000_000_000;

/// One report per 5 s. A series ends when it is idle for 20 s.
pub(super) fn config() -> AggregateConfig {
    AggregateConfig {
        interval: Interval::from_secs(5),
        max_idle: Interval::from_secs(20),
        ..AggregateConfig::default()
    }
}

pub(super) fn delta() -> AggregateConfig {
    AggregateConfig { temporality: Temporality::Delta, ..config() }
}

pub(super) fn by_port() -> AggregateConfig {
    AggregateConfig { attributes: vec![Attribute::PeerPort.into()], ..config() }
}

pub(super) fn of_port(port: u16) -> Record {
    record_to(([192, 0, 2, 7], port).into())
}

/// Like `record`, but for an attempt that the kernel counted and failed to send.
pub(super) fn failing(record: Record, errno: i32) -> Record {
    Record {
        amounts: Amounts { bytes: 0, failures: 1, ..record.amounts },
        segment: record.segment.map(|segment| Segment { errno: Some(errno), ..segment }),
        ..record
    }
}

/// Like `record`, but for an attempt that the kernel did not count and failed to send.
pub(super) fn uncounted(record: Record, errno: i32) -> Record {
    let failing = failing(record, errno);
    Record { amounts: Amounts { segments: 0, ..failing.amounts }, ..failing }
}

/// Like `record`, but with another reason.
pub(super) fn with_type(record: Record, retransmit_type: RetransmitType) -> Record {
    Record { class: Class { retransmit_type, ..record.class }, ..record }
}

/// A gap with other amounts.
pub(super) fn gap_of(amounts: Amounts) -> Record {
    Record { amounts, ..gap() }
}

/// An aggregator. Times are in seconds. Both clocks show the same unless a test sets the wall clock.
pub(super) struct Sums {
    aggregator: Aggregator,
    /// The monotonic clock at second 0.
    epoch: Instant,
}

impl Sums {
    pub(super) fn new(config: &AggregateConfig, start: u64) -> Self {
        let mut sums = Sums::expecting_nothing(config, start);
        sums.aggregator.expect();
        sums
    }

    pub(super) fn expecting_nothing(config: &AggregateConfig, start: u64) -> Self {
        Sums { aggregator: Aggregator::new(config, start * SECOND), epoch: Instant::now() }
    }

    pub(super) fn add(&mut self, records: impl IntoIterator<Item = Record>) {
        self.aggregator.add(&records.into_iter().collect::<Vec<_>>());
    }

    pub(super) fn report(&mut self, now: u64) -> Vec<MetricPoint> {
        self.report_with_wall_clock(now, now)
    }

    pub(super) fn report_with_wall_clock(&mut self, wall: u64, now: u64) -> Vec<MetricPoint> {
        self.aggregator.report(wall * SECOND, self.epoch + Duration::from_secs(now))
    }
}

/// Start, time and value of each point; times in seconds.
pub(super) type Values = Vec<(u64, u64, u64)>;
/// From the values of the attributes and the metric to the points in their order.
pub(super) type Shown = BTreeMap<(String, &'static str), Values>;

/// The totals of all points.
pub(super) fn totals(points: &[MetricPoint]) -> Shown {
    shown(points, |point| point.total)
}

/// The totals of all series except those that are always 0.
pub(super) fn counted(points: &[MetricPoint]) -> Shown {
    let mut totals = totals(points);
    totals.retain(|_, values| values.iter().any(|(_, _, value)| *value > 0));
    totals
}

/// The changes of all points except those that are 0.
pub(super) fn changes(points: &[MetricPoint]) -> Shown {
    let changed: Vec<_> = points.iter().filter(|point| point.change.value > 0).cloned().collect();
    shown(&changed, |point| point.change)
}

fn shown(points: &[MetricPoint], reading: impl Fn(&MetricPoint) -> crate::metric::Reading) -> Shown {
    let mut shown = Shown::new();
    for point in points {
        let labels: Vec<_> = point.attributes.iter().map(|(_, value)| value.to_string()).collect();
        let values = shown.entry((labels.join(" "), point.descriptor.name)).or_default();
        let read = reading(point);
        values.push((read.start_unix_nano / SECOND, point.time_unix_nano / SECOND, read.value));
    }
    shown
}

/// The points of one series in `shown`; empty if it is not there.
pub(super) fn of(shown: &Shown, series: &str, metric: &Descriptor) -> Values {
    shown.get(&(series.to_owned(), metric.name)).cloned().unwrap_or_default()
}

/// The sum over all series of a metric at the end of the window.
pub(super) fn sum(points: &[MetricPoint], metric: &Descriptor) -> u64 {
    let last = totals(points).into_iter().filter(|((_, name), _)| *name == metric.name);
    last.filter_map(|(_, values)| Some(values.last()?.2)).sum()
}
