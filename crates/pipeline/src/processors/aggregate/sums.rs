//! The sums: series of attributes, their values, their start and their end. Time comes from the caller.

use std::collections::HashMap;
use std::sync::Arc;

use super::{AggregateConfig, DEFAULT_ATTRIBUTES};
use crate::attribute::{Attribute, Key, OwnedValue};
use crate::metric::{Metric, MetricPoint, Temporality};
use crate::record::Record;

type Attributes = Arc<[(Key, OwnedValue)]>;

/// Adds records up and reports metric points.
///
/// A series is one set of attributes; it holds the points of all metrics that bear this set.
#[derive(Debug)]
pub struct Aggregator {
    attributes: Vec<Key>,
    max_series: usize,
    temporality: Temporality,
    max_idle_nano: u64,
    series: HashMap<Attributes, Series>,
    overflow: Attributes,
    /// Start of the current window: the last report, or the aggregator's own start.
    window_start: u64,
}

#[derive(Debug)]
struct Series {
    /// Start of its first window.
    start: u64,
    /// End of the last window in which it changed.
    last_change: u64,
    /// Has it changed in the current window?
    changed: bool,
    segments: u64,
    events: u64,
    bytes: u64,
    failures: u64,
}

impl Aggregator {
    /// An empty one, whose first window starts at `now_unix_nano`.
    pub fn new(config: &AggregateConfig, now_unix_nano: u64) -> Self {
        Aggregator {
            attributes: DEFAULT_ATTRIBUTES
                .into_iter()
                .map(Key::Own)
                .chain(config.attributes.iter().cloned())
                .collect(),
            max_series: config.max_series,
            temporality: config.temporality,
            max_idle_nano: u64::try_from(config.max_idle.as_nanos()).unwrap_or(u64::MAX),
            series: HashMap::new(),
            overflow: Arc::new([(Attribute::MetricOverflow.into(), OwnedValue::Bool(true))]),
            window_start: now_unix_nano,
        }
    }

    /// Adds records to the current window.
    pub fn add(&mut self, records: &[Record]) {
        let mut key = Vec::with_capacity(self.attributes.len());
        for record in records {
            key.clear();
            key.extend(self.attributes.iter().filter_map(|key| Some((key.clone(), record.get(key)?.into()))));
            self.series(&key).add(record);
        }
    }

    /// Closes the window at `now_unix_nano` and reports: cumulative every live series, delta what has changed.
    ///
    /// Points come metric by metric.
    pub fn report(&mut self, now_unix_nano: u64) -> Vec<MetricPoint> {
        let now = now_unix_nano;
        if now < self.window_start {
            // The clock was set back. A point must not end before it starts.
            for series in self.series.values_mut() {
                series.start = series.start.min(now);
                series.last_change = series.last_change.min(now);
            }
        }
        self.series.retain(|_, series| {
            if std::mem::take(&mut series.changed) {
                series.last_change = now;
            }
            now - series.last_change < self.max_idle_nano || series.last_change == now
        });
        let points = self.points(now);
        if self.temporality == Temporality::Delta {
            // The next window starts from nothing, and so does its cap.
            self.series.clear();
        }
        self.window_start = now;
        points
    }

    fn points(&self, now: u64) -> Vec<MetricPoint> {
        let mut points = Vec::with_capacity(3 * self.series.len());
        for metric in [Metric::Retransmits, Metric::Events, Metric::Io, Metric::Failures] {
            points.extend(self.series.iter().filter_map(|(attributes, series)| {
                Some(MetricPoint {
                    metric,
                    attributes: Arc::clone(attributes),
                    temporality: self.temporality,
                    start_unix_nano: series.start,
                    time_unix_nano: now,
                    value: series.value(metric)?,
                })
            }));
        }
        points
    }

    /// The series of these attributes, a new one where the cap allows it, else the overflow series.
    fn series(&mut self, key: &[(Key, OwnedValue)]) -> &mut Series {
        let key = match self.series.get_key_value(key) {
            Some((known, _)) => Arc::clone(known),
            None if self.has_room() => key.into(),
            None => Arc::clone(&self.overflow),
        };
        let start = self.window_start;
        self.series.entry(key).or_insert_with(|| Series::new(start))
    }

    fn has_room(&self) -> bool {
        let overflow = usize::from(self.series.contains_key(&self.overflow));
        self.series.len() - overflow < self.max_series
    }
}

impl Series {
    fn new(start: u64) -> Self {
        Series { start, last_change: start, changed: false, segments: 0, events: 0, bytes: 0, failures: 0 }
    }

    fn add(&mut self, record: &Record) {
        self.changed = true;
        // The kernel counts the segments of some attempts that it then fails to send. The sums count them, too, in the
        // series of their error.type.
        self.segments += record.amounts.segments;
        self.events += record.amounts.sent();
        self.bytes += record.amounts.bytes;
        self.failures += record.amounts.failures;
    }

    /// Its value of a metric; `None` where it has seen nothing that the metric counts.
    fn value(&self, metric: Metric) -> Option<u64> {
        let (counted, value) = match metric {
            Metric::Retransmits => (self.events + self.segments, self.segments),
            Metric::Events => (self.events, self.events),
            Metric::Io => (self.events + self.bytes, self.bytes),
            Metric::Failures => (self.failures, self.failures),
        };
        (counted > 0).then_some(value)
    }
}
