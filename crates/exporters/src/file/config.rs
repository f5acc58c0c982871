//! Configuration of the `file` exporter, in the words of the Collector's fileexporter.

use std::path::PathBuf;

use otel_tcpretrans_pipeline::config::Problem;
use otel_tcpretrans_pipeline::metric::Temporality;
use serde::{Deserialize, Serialize};

use crate::otlp::Format;

/// Configuration of a `file` exporter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The file. It is created if there is none, and else continued. It has no default.
    pub path: PathBuf,
    /// `json`, the default: one request per line. `proto`: requests in protobuf, each after its length.
    pub format: Format,
    /// `none`, the default, or `zstd`: each request compressed, after its length.
    pub compression: FileCompression,
    /// When a new file is begun, and how many are kept. By default the file grows without end.
    pub rotation: Option<Rotation>,
    /// The temporality of metrics. Default: the pipeline's `aggregate.temporality`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporality: Option<Temporality>,
}

/// How requests are compressed in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileCompression {
    /// Not compressed.
    #[default]
    None,
    /// Zstandard (RFC 8878).
    Zstd,
}

/// When a new file is begun, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rotation {
    /// The largest file, in MB of 2^20 bytes. Default 100.
    pub max_megabytes: u64,
    /// Older files are deleted when they were closed so many days ago. Default 0: not for their age.
    pub max_days: u32,
    /// So many older files are kept. 0 keeps all. Default 100.
    pub max_backups: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            path: PathBuf::new(),
            format: Format::Json,
            compression: FileCompression::None,
            rotation: None,
            temporality: None,
        }
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Rotation { max_megabytes: 100, max_days: 0, max_backups: 100 }
    }
}

impl Config {
    /// Finds what the types can't express.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.path.file_name().is_none() {
            let message = "expected the path of a file, such as /var/lib/otel-tcpretrans/telemetry.json";
            problems.push(Problem::at("path", message));
        }
        if self.rotation.is_some_and(|rotation| rotation.max_megabytes == 0) {
            problems.push(Problem::at("rotation.max_megabytes", "0; expected at least 1"));
        }
        problems
    }

    /// Whether each request has its length before it. A line has an end instead.
    pub(super) fn is_framed(&self) -> bool {
        self.format == Format::Proto || self.compression != FileCompression::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_their_paths() {
        let config: Config = serde_yaml::from_str("rotation: { max_megabytes: 0 }").unwrap();
        let paths: Vec<_> = config.validate().into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["path", "rotation.max_megabytes"]);
        assert!(serde_yaml::from_str::<Config>("path: /a/b.json").unwrap().validate().is_empty());
    }
}
