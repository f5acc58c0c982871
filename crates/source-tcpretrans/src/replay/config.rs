//! The receiver's configuration.

use std::path::PathBuf;

use otel_tcpretrans_pipeline::config::Problem;
use serde::{Deserialize, Serialize};

/// Configuration of a `replay` receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The recording. It is required.
    pub file: PathBuf,
    /// How fast.
    pub speed: Speed,
    /// Begins again at the end, and so never finishes. The same events come again, with the same times.
    #[serde(rename = "loop")]
    pub repeat: bool,
}

/// How fast a recording is replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Speed {
    /// With the pauses that were between the events.
    Realtime,
    /// As fast as the pipelines take it. The result is the same.
    #[default]
    Max,
}

impl Config {
    /// Checks what the types can't. The file is opened when the receiver starts.
    pub fn validate(&self) -> Vec<Problem> {
        match self.file.as_os_str().is_empty() {
            true => vec![Problem::at("file", "missing; expected the path of a recording")],
            false => Vec::new(),
        }
    }
}
