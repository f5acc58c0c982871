//! The aggregator: it decides which series a record adds to and when a series ends, and it makes the reports. The
//! caller gives the time.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;
use tokio::time::Instant;

use super::added::{Added, AddedRef};
use super::base::Base;
use super::config::AggregateConfig;
use super::metrics::{METRICS, increments_of};
use super::plausible::{nothing, plausible};
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
    /// Whether round-trip times are added up, too.
    rtt: bool,
    /// Series that have only default attributes. They never end.
    bounded: HashMap<Base, Series>,
    /// Series that have added attributes: at most `max_series`.
    capped: HashMap<Added, Series>,
    /// The series of the records for which `capped` has no room. It never ends.
    overflow: Option<Series>,
    /// The values of the added attributes of the record at hand.
    values: Vec<Option<OwnedValue>>,
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
            rtt: config.rtt,
            bounded: HashMap::new(),
            capped: HashMap::new(),
            overflow: None,
            values: Vec::new(),
            window_start: now_unix_nano,
        }
    }

    /// Adds the series that can be expected, with the value 0, to the current window. Call it only when it is certain
    /// that records will be seen, since 0 would be a guess before.
    pub fn expect(&mut self) {
        for base in plausible() {
            let nothing = nothing(base, self.rtt);
            self.bounded_series(base).add(nothing);
        }
    }

    /// Adds records to the current window.
    pub fn add(&mut self, records: &[Record]) {
        for record in records {
            let increments = increments_of(record, self.rtt);
            self.series(record).add(increments);
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
        let mut points = Vec::with_capacity(METRICS.len() * (self.bounded.len() + self.capped.len() + 1));
        for metric in 0..METRICS.len() {
            let all = self.bounded.values_mut().chain(self.capped.values_mut()).chain(&mut self.overflow);
            for series in all {
                points.extend(series.report(metric, window, self.temporality));
            }
        }
        points
    }

    /// Ends the series with added attributes for which `is_over` is true. Their totals go to their base series.
    fn end(&mut self, mut is_over: impl FnMut(&mut Series) -> bool) {
        for (key, ended) in self.capped.extract_if(|_, series| is_over(series)) {
            let base = self.bounded.entry(key.base);
            base.or_insert_with(|| Series::new(key.base.attributes().collect(), ended.start))
                .take_over(&ended);
        }
    }

    /// The series of a record. If there is no such series, this is a new one, or the overflow series if `max_series` is
    /// reached.
    fn series(&mut self, record: &Record) -> &mut Series {
        let base = Base::of(record);
        self.values.clear();
        self.values.extend(self.added.iter().map(|key| record.get(key).map(OwnedValue::from)));
        if self.values.iter().all(Option::is_none) {
            return self.bounded_series(base);
        }
        let (start, is_full) = (self.window_start, self.capped.len() >= self.max_series);
        match self.capped.entry_ref(&AddedRef { base, values: &self.values }) {
            EntryRef::Occupied(known) => known.into_mut(),
            EntryRef::Vacant(_) if is_full => {
                self.overflow.get_or_insert_with(|| Series::new(overflow(), start))
            }
            EntryRef::Vacant(new) => {
                let values = self.added.iter().zip(&self.values);
                let added = values.filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
                let series = Series::new(base.attributes().chain(added).collect(), start);
                let key = Added::from(new.key());
                new.insert_with_key(key, series)
            }
        }
    }

    fn bounded_series(&mut self, base: Base) -> &mut Series {
        let start = self.window_start;
        self.bounded.entry(base).or_insert_with(|| Series::new(base.attributes().collect(), start))
    }
}

/// The attributes of the overflow series.
fn overflow() -> Attributes {
    Arc::new([(Attribute::MetricOverflow.into(), OwnedValue::Bool(true))])
}
