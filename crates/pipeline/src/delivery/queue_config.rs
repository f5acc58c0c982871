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
    /// The largest size of the queue, measured by `sizer`: the requests that wait and those in flight together. Default
    /// 64 MiB. With `storage` there is none by default, since the extension's `max_size` bounds the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_size: Option<Size>,
    /// What `queue_size` measures.
    pub sizer: Sizer,
    /// What happens to a request that does not fit. Default `drop_newest`, with `storage` `drop_oldest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_full: Option<OnFull>,
    /// The id of the extension that keeps the queue on disk. Without one it is in memory.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// It is dropped.
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
            queue_size: None,
            sizer: Sizer::Bytes,
            on_full: None,
            storage: None,
        }
    }
}

impl QueueConfig {
    /// What happens to a request that does not fit.
    pub fn on_full(&self) -> OnFull {
        let default = if self.storage.is_some() { OnFull::DropOldest } else { OnFull::DropNewest };
        self.on_full.unwrap_or(default)
    }

    /// The largest size of a queue in memory.
    pub fn size_in_memory(&self) -> Size {
        self.queue_size.unwrap_or(Size::mib(64))
    }

    /// With the defaults filled in.
    pub fn filled_in(&self) -> QueueConfig {
        let queue_size = if self.storage.is_some() { self.queue_size } else { Some(self.size_in_memory()) };
        QueueConfig { queue_size, on_full: Some(self.on_full()), ..self.clone() }
    }

    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.enabled && !(1..=MOST_CONSUMERS).contains(&self.num_consumers) {
            problems.push(Problem::at(
                "num_consumers",
                format!("{}; expected 1 to {MOST_CONSUMERS}", self.num_consumers),
            ));
        }
        let size = self.size_in_memory().bytes();
        if self.enabled && size < LEAST_QUEUE {
            // The default sizer of the Collector counts requests, so that 1000 is a usual number there.
            problems.push(Problem::at(
                "queue_size",
                format!("{size} bytes is too small; the size is in bytes, such as 64MiB"),
            ));
        }
        if self.storage.is_some() && !self.enabled {
            problems
                .push(Problem::at("storage", "there is no queue to store; remove it, or `enabled: false`"));
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
        assert_eq!((defaults.size_in_memory(), defaults.sizer), (Size::mib(64), Sizer::Bytes));
        assert_eq!(defaults.on_full(), OnFull::DropNewest);
        assert!(defaults.validate().is_empty());
        let written =
            serde_yaml::to_string(&QueueConfig { on_full: Some(OnFull::DropOldest), ..defaults }.filled_in())
                .unwrap();
        let expected =
            "enabled: true\nnum_consumers: 4\nqueue_size: 64MiB\nsizer: bytes\non_full: drop_oldest\n";
        assert_eq!(written, expected);
        let read: QueueConfig = serde_yaml::from_str(&written).unwrap();
        assert_eq!(read.size_in_memory(), Size::mib(64));
        let stored: QueueConfig = serde_yaml::from_str("storage: file_storage").unwrap();
        assert!(stored.validate().is_empty());
        assert_eq!((stored.on_full(), stored.filled_in().queue_size), (OnFull::DropOldest, None));
        let unstored = QueueConfig { enabled: false, ..stored };
        assert_eq!(unstored.validate()[0].path, "storage");
        assert!(serde_yaml::from_str::<QueueConfig>("sizer: requests").is_err());
        let zero: QueueConfig = serde_yaml::from_str("{ num_consumers: 0, queue_size: 0 }").unwrap();
        let paths: Vec<_> = zero.validate().into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["num_consumers", "queue_size"]);
        assert!(QueueConfig { enabled: false, ..zero }.validate().is_empty());
    }
}
