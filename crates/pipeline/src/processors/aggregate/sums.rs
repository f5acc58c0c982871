//! The aggregator: it decides which series a record adds to and when a series ends, and it makes the reports. The
//! caller gives the time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::config::{AggregateConfig, DEFAULT_ATTRIBUTES};
use super::metrics::{METRICS, increments_of};
use super::plausible::{NOTHING, plausible};
use super::series::{Attributes, Series, Window};
use crate::attribute::{Attribute, Key, OwnedValue};
use crate::metric::{MetricPoint, Temporality};
use crate::record::Record;

/// Adds up records, and reports the sums as metric points.
#[derive(Debug)]
pub struct Aggregator {
    /// The attributes that are added to the default ones.
    added: Vec<Key>,
    max_series: usize,
    temporality: Temporality,
    max_idle: Duration,
    /// Series that have only default attributes, and the overflow series. They never end.
    bounded: HashMap<Attributes, Series>,
    /// Series that have added attributes: at most `max_series`.
    capped: HashMap<Attributes, Series>,
    overflow: Attributes,
    /// Start of the current window, in ns since the Unix epoch: the time of the last report, or the aggregator's start.
    window_start: u64,
}

impl Aggregator {
    /// An aggregator without series. Its first window starts at `now_unix_nano`.
    pub fn new(config: &AggregateConfig, now_unix_nano: u64) -> Self {
        Aggregator {
            added: config.attributes.clone(),
            max_series: config.max_series,
            temporality: config.temporality,
            max_idle: *config.max_idle,
            bounded: HashMap::new(),
            capped: HashMap::new(),
            overflow: Arc::new([(Attribute::MetricOverflow.into(), OwnedValue::Bool(true))]),
            window_start: now_unix_nano,
        }
    }

    /// Adds the series that can be expected, with the value 0, to the current window. Call it only when it is certain
    /// that records will be seen, since 0 would be a guess before.
    pub fn expect(&mut self) {
        for key in plausible() {
            self.series(&key, key.len()).add(NOTHING);
        }
    }

    /// Adds records to the current window.
    pub fn add(&mut self, records: &[Record]) {
        let mut key = Vec::with_capacity(DEFAULT_ATTRIBUTES.len() + self.added.len());
        for record in records {
            let value = |key: &Key| Some((key.clone(), record.get(key)?.into()));
            key.clear();
            key.extend(DEFAULT_ATTRIBUTES.iter().filter_map(value));
            let of_base = key.len();
            key.extend(self.added.iter().filter_map(value));
            self.series(&key, of_base).add(increments_of(record));
        }
    }

    /// Closes the window and reports every series, metric by metric.
    ///
    /// `now_unix_nano` is the wall clock, for the times of the points. `now` measures how long a series has been idle,
    /// since the wall clock may be set. If the wall clock was set back, windows end at the moment where they start,
    /// until the clock has caught up. So a series keeps its start and its value, and no point is older than the point
    /// before.
    pub fn report(&mut self, now_unix_nano: u64, now: Instant) -> Vec<MetricPoint> {
        let window = Window { start: self.window_start, end: now_unix_nano.max(self.window_start) };
        let max_idle = self.max_idle;
        self.end(|series| series.idle(now) >= max_idle);
        let points = self.points(window);
        if self.temporality == Temporality::Delta {
            // `max_series` is a limit per window here.
            self.end(|_| true);
        }
        self.window_start = window.end;
        points
    }

    fn points(&mut self, window: Window) -> Vec<MetricPoint> {
        let mut points = Vec::with_capacity(METRICS.len() * (self.bounded.len() + self.capped.len()));
        for metric in 0..METRICS.len() {
            for (attributes, series) in self.bounded.iter_mut().chain(&mut self.capped) {
                points.extend(series.report(metric, attributes, window, self.temporality));
            }
        }
        points
    }

    /// Ends the series with added attributes for which `is_over` is true. Their totals go to their base series.
    fn end(&mut self, mut is_over: impl FnMut(&mut Series) -> bool) {
        for (attributes, ended) in self.capped.extract_if(|_, series| is_over(series)) {
            let of_base = attributes.iter().take_while(|(name, _)| DEFAULT_ATTRIBUTES.contains(name)).count();
            let base = self.bounded.entry(attributes[..of_base].into());
            base.or_insert_with(|| Series::new(ended.start)).take_over(&ended);
        }
    }

    /// The series of these attributes. The first `of_base` of them are default ones. If there is no such series, this
    /// is a new one, or the overflow series if `max_series` is reached.
    fn series(&mut self, key: &[(Key, OwnedValue)], of_base: usize) -> &mut Series {
        let is_capped = key.len() > of_base;
        let is_full = self.capped.len() >= self.max_series;
        let (all, key) = match is_capped {
            true if is_full && !self.capped.contains_key(key) => (&mut self.bounded, &*self.overflow),
            true => (&mut self.capped, key),
            false => (&mut self.bounded, key),
        };
        // Nearly all records belong to a known series. Its key is not copied.
        let known = all.get_key_value(key).map(|(known, _)| Arc::clone(known));
        let start = self.window_start;
        all.entry(known.unwrap_or_else(|| key.into())).or_insert_with(|| Series::new(start))
    }
}
