//! `batch`: collects items into fewer and larger batches. This delays them for a bounded time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::chunk::{Chunk, Chunks};
use crate::config::{Interval, Problem};

/// `batch`, with the Collector's keys and defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchConfig {
    /// Number of log records or metric points in a full batch. No batch is larger.
    pub send_batch_size: usize,
    /// How long an item waits at most for its batch to fill. With 0 it does not wait.
    pub timeout: Interval,
}

impl Default for BatchConfig {
    fn default() -> Self {
        BatchConfig { send_batch_size: 8192, timeout: Interval::from_millis(200) }
    }
}

impl BatchConfig {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        match self.send_batch_size {
            0 => vec![Problem::at("send_batch_size", "must be at least 1")],
            _ => Vec::new(),
        }
    }
}

/// Collects items until they fill a batch, or until the oldest has waited for the timeout.
#[derive(Debug)]
pub struct Batcher<T> {
    size: usize,
    timeout: Duration,
    pending: Chunks<T>,
    /// When `pending` must be flushed; `None` while it is empty.
    due: Option<Instant>,
}

impl<T> Batcher<T> {
    /// A batcher that holds nothing.
    pub fn new(config: &BatchConfig) -> Self {
        Batcher {
            size: config.send_batch_size.max(1),
            timeout: *config.timeout,
            pending: Chunks::default(),
            due: None,
        }
    }

    /// A batcher that hands on everything at once, and does not split it. It serves pipelines without `batch`.
    pub fn passing() -> Self {
        Batcher::new(&BatchConfig { send_batch_size: usize::MAX, timeout: Interval::ZERO })
    }

    /// Adds items that arrived at `now`, and returns the batches that are complete.
    pub fn push(&mut self, mut items: Chunk<T>, now: Instant) -> Vec<Chunks<T>> {
        let mut full = Vec::new();
        while !items.is_empty() {
            self.due = self.due.or_else(|| now.checked_add(self.timeout));
            let fits = items.len().min(self.size - self.pending.len());
            self.pending.push(items.split_to(fits));
            if self.pending.len() == self.size {
                full.extend(self.flush());
            }
        }
        if self.timeout.is_zero() {
            full.extend(self.flush());
        }
        full
    }

    /// When the incomplete batch must be flushed; `None` while there is none.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Takes the incomplete batch, if there is one.
    pub fn flush(&mut self) -> Option<Chunks<T>> {
        self.due = None;
        (!self.pending.is_empty()).then(|| std::mem::take(&mut self.pending))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn batcher(size: usize, timeout: Duration) -> Batcher<u32> {
        Batcher::new(&BatchConfig { send_batch_size: size, timeout: timeout.into() })
    }

    fn push(batcher: &mut Batcher<u32>, items: &[u32], now: Instant) -> Vec<Vec<u32>> {
        batcher.push(items.to_vec().into(), now).iter().map(shown).collect()
    }

    fn flush(batcher: &mut Batcher<u32>) -> Option<Vec<u32>> {
        batcher.flush().as_ref().map(shown)
    }

    fn shown(batch: &Chunks<u32>) -> Vec<u32> {
        batch.iter().copied().collect()
    }

    #[test]
    fn cuts_exactly_at_the_size_and_keeps_the_order() {
        let mut batcher = batcher(3, Duration::from_secs(1));
        let now = Instant::now();
        assert_eq!(push(&mut batcher, &[1, 2], now), Vec::<Vec<u32>>::new());
        assert_eq!(push(&mut batcher, &[3, 4, 5, 6, 7], now), [[1, 2, 3], [4, 5, 6]]);
        assert_eq!(flush(&mut batcher), Some(vec![7]));
        assert_eq!(flush(&mut batcher), None);
    }

    #[test]
    fn the_oldest_item_sets_the_time() {
        let timeout = Duration::from_millis(200);
        let mut batcher = batcher(3, timeout);
        let start = Instant::now();
        assert_eq!(batcher.due(), None);
        push(&mut batcher, &[1], start);
        push(&mut batcher, &[2], start + timeout / 2);
        assert_eq!(batcher.due(), Some(start + timeout), "a later item does not postpone it");
        // The third completes the batch; the fourth is the oldest of the next.
        assert_eq!(push(&mut batcher, &[3, 4], start + timeout), [[1, 2, 3]]);
        assert_eq!(batcher.due(), Some(start + 2 * timeout));
        push(&mut batcher, &[5, 6], start + timeout);
        assert_eq!(batcher.due(), None, "nothing waits");
    }

    #[test]
    fn without_timeout_nothing_waits() {
        let mut batcher = batcher(2, Duration::ZERO);
        assert_eq!(push(&mut batcher, &[1, 2, 3], Instant::now()), [vec![1, 2], vec![3]]);
        assert_eq!(batcher.due(), None);
    }

    #[test]
    fn configuration() {
        assert_eq!(serde_yaml::from_str::<BatchConfig>("{}").unwrap(), BatchConfig::default());
        let config: BatchConfig = serde_yaml::from_str("{ send_batch_size: 0, timeout: 1s }").unwrap();
        assert_eq!(*config.timeout, Duration::from_secs(1));
        assert_eq!(config.validate()[0].path, "send_batch_size");
        assert!(BatchConfig::default().validate().is_empty());
        assert!(serde_yaml::from_str::<BatchConfig>("send_batch_max_size: 1").is_err());
    }
}
