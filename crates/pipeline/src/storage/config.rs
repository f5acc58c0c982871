//! The configuration of a `file_storage` extension.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::{Interval, Problem, Size, fit};

/// The smallest `max_size`, in bytes: room for a few requests.
const LEAST_SIZE: u64 = 1 << 20;

/// `file_storage`, with the Collector's keys where it has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The directory of the stores. It is created if it is missing, and belongs to one process at a time.
    pub directory: PathBuf,
    /// The largest size of the file of one exporter and signal. The write-ahead log beside the file is not part of it.
    pub max_size: Size,
    /// A request that is older is dropped.
    pub retention: Interval,
    /// Whether each commit waits for the disk. Commits then survive a power failure, too.
    pub fsync: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            directory: PathBuf::from("/var/lib/otel-tcpretrans"),
            max_size: Size::mib(1024),
            retention: Interval::from_secs(24 * 3600),
            fsync: false,
        }
    }
}

impl Config {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.directory.as_os_str().is_empty() {
            problems.push(Problem::at("directory", "is empty; expected the path of a directory"));
        }
        if self.max_size.bytes() < LEAST_SIZE {
            let message = format!("{} bytes is too small; expected at least 1MiB", self.max_size.bytes());
            problems.push(Problem::at("max_size", message));
        }
        problems.extend(fit(*self.retention).err().map(|message| Problem::at("retention", message)));
        problems
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn defaults_and_problems() {
        let config: Config = serde_yaml::from_str("{}").unwrap();
        assert_eq!(config, Config::default());
        assert!(config.validate().is_empty());
        let wrong: Config = serde_yaml::from_str("{ directory: '', max_size: 1KiB, retention: 0s }").unwrap();
        let paths: Vec<_> = wrong.validate().into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["directory", "max_size", "retention"]);
        assert!(serde_yaml::from_str::<Config>("compaction: {}").is_err());
    }
}
