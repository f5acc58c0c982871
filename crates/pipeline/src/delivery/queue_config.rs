//! The configuration of the sending queue.

use serde::{Deserialize, Serialize};

use crate::config::{Problem, Size};

/// The largest number of consumers. Each of them is a task.
const MOST_CONSUMERS: usize = 10_000;
/// The smallest size of a queue, in bytes. A smaller one would hold fewer than a few hundred uncompressed records, and
/// would drop most of a burst.
const LEAST_QUEUE: u64 = 64 << 10;

/// `sending_queue`, with the Collector's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueConfig {
    /// Whether there is a queue. Without one, a pipeline's outlet waits for each request and its retries.
    pub enabled: bool,
    /// Number of requests in flight at once. A metrics queue has one request in flight, so that cumulative points can't
    /// overtake each other.
    pub num_consumers: usize,
    /// The largest size of the queue, measured by `sizer`: the requests that wait and those in flight together.
    pub queue_size: Size,
    /// What `queue_size` measures.
    pub sizer: Sizer,
    /// What happens to a request that does not fit.
    pub on_full: OnFull,
    /// The extension that keeps the queue on disk. This is not built yet, so a configuration that has it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
}

/// What a queue's size measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sizer {
    /// The requests as they are sent, encoded and compressed, in bytes.
    #[default]
    Bytes,
}

/// What happens to a request for which the queue has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// It is dropped.
    #[default]
    DropNewest,
    /// The oldest requests that wait are dropped until it fits. Requests in flight are not dropped.
    DropOldest,
    /// The outlet of its pipeline waits for room. When the outlet is full, the pipeline drops further batches, or waits
    /// if one of its receivers can wait.
    Block,
}

impl Default for QueueConfig {
    fn default() -> Self {
        QueueConfig {
            enabled: true,
            num_consumers: 4,
            queue_size: Size::mib(64),
            sizer: Sizer::Bytes,
            on_full: OnFull::DropNewest,
            storage: None,
        }
    }
}

impl QueueConfig {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.enabled && !(1..=MOST_CONSUMERS).contains(&self.num_consumers) {
            problems.push(Problem::at(
                "num_consumers",
                format!("{}; expected 1 to {MOST_CONSUMERS}", self.num_consumers),
            ));
        }
        if self.enabled && self.queue_size.bytes() < LEAST_QUEUE {
            // The default sizer of the Collector counts requests, so that 1000 is a usual number there.
            problems.push(Problem::at(
                "queue_size",
                format!(
                    "{} bytes is too small; the size is in bytes, such as 64MiB",
                    self.queue_size.bytes()
                ),
            ));
        }
        if self.storage.is_some() {
            problems.push(Problem::at("storage", "is not built yet: the queue is in memory only; remove it"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn defaults_spelling_and_problems() {
        let defaults: QueueConfig = serde_yaml::from_str("{}").unwrap();
        assert_eq!(defaults, QueueConfig::default());
        assert_eq!((defaults.enabled, defaults.num_consumers), (true, 4));
        assert_eq!((defaults.queue_size, defaults.sizer), (Size::mib(64), Sizer::Bytes));
        assert_eq!(defaults.on_full, OnFull::DropNewest);
        assert!(defaults.validate().is_empty());
        let written =
            serde_yaml::to_string(&QueueConfig { on_full: OnFull::DropOldest, ..defaults }).unwrap();
        let expected =
            "enabled: true\nnum_consumers: 4\nqueue_size: 64MiB\nsizer: bytes\non_full: drop_oldest\n";
        assert_eq!(written, expected);
        assert_eq!(serde_yaml::from_str::<QueueConfig>(&written).unwrap().queue_size, Size::mib(64));
        let stored: QueueConfig = serde_yaml::from_str("storage: file_storage").unwrap();
        assert_eq!(stored.validate()[0].path, "storage", "not built yet");
        assert!(serde_yaml::from_str::<QueueConfig>("storage: null").unwrap().validate().is_empty());
        assert!(serde_yaml::from_str::<QueueConfig>("sizer: requests").is_err());
        let zero: QueueConfig = serde_yaml::from_str("{ num_consumers: 0, queue_size: 0 }").unwrap();
        let paths: Vec<_> = zero.validate().into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["num_consumers", "queue_size"]);
        assert!(QueueConfig { enabled: false, ..zero }.validate().is_empty());
    }
}
