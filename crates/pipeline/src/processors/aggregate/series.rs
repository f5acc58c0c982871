//! One series: the sums of one set of attributes. Time comes from the caller.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::metrics::{Increments, METRICS};
use crate::attribute::{Key, OwnedValue};
use crate::metric::{MetricPoint, Reading, Temporality};

/// The attributes of a series.
pub(super) type Attributes = Arc<[(Key, OwnedValue)]>;

/// A window of the wall clock, in ns since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// The sums of one set of attributes, one per metric.
#[derive(Debug)]
pub(super) struct Series {
    attributes: Attributes,
    /// Start of the first window, in ns since the Unix epoch.
    pub(super) start: u64,
    /// End of the last window in which it changed; `None` if it changed in the current one.
    unchanged_since: Option<Instant>,
    sums: [Option<Sum>; METRICS.len()],
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    total: u64,
    /// The part of `total` that was added in the current window.
    change: u64,
    /// Whether a report has shown it.
    is_known: bool,
}

impl Series {
    /// A series whose first window starts at `start`, in ns since the Unix epoch.
    pub(super) fn new(attributes: Attributes, start: u64) -> Self {
        Series { attributes, start, unchanged_since: None, sums: Default::default() }
    }

    /// Adds what a record adds.
    pub(super) fn add(&mut self, increments: Increments) {
        self.unchanged_since = None;
        for (sum, increment) in self.sums.iter_mut().zip(increments) {
            if let Some(increment) = increment {
                let sum = sum.get_or_insert_default();
                sum.total += increment;
                sum.change += increment;
            }
        }
    }

    /// Adds the totals of a series that ended. The changes of that series are reported already.
    pub(super) fn take_over(&mut self, ended: &Series) {
        for (sum, ended) in self.sums.iter_mut().zip(&ended.sums) {
            if let Some(ended) = ended {
                sum.get_or_insert_default().total += ended.total;
            }
        }
    }

    /// The time for which it has not changed, if the current window ends at `now`.
    pub(super) fn idle(&mut self, now: Instant) -> Duration {
        now.saturating_duration_since(*self.unchanged_since.get_or_insert(now))
    }

    /// Ends the window for one metric, an index of [`METRICS`].
    ///
    /// Returns the sum at the end of the window, or nothing if the series has no such sum. If a sum is reported for the
    /// first time, its value at the start of the window comes before it. So backends that compare each value with the
    /// value before, as PromQL does, see the first change, too.
    pub(super) fn report(
        &mut self,
        metric: usize,
        window: Window,
        temporality: Temporality,
    ) -> impl Iterator<Item = MetricPoint> + use<> {
        let (attributes, start, descriptor) = (Arc::clone(&self.attributes), self.start, METRICS[metric]);
        let point = |time_unix_nano, total, change| MetricPoint {
            descriptor,
            attributes: Arc::clone(&attributes),
            time_unix_nano,
            total: Reading { start_unix_nano: start, value: total },
            change: Reading { start_unix_nano: window.start, value: change },
            temporality,
        };
        let points = self.sums[metric].as_mut().map(|sum| {
            let Sum { total, change, is_known } = *sum;
            *sum = Sum { change: 0, is_known: true, ..*sum };
            let first = (!is_known && change > 0).then(|| point(window.start, total - change, 0));
            first.into_iter().chain([point(window.end, total, change)])
        });
        points.into_iter().flatten()
    }
}
