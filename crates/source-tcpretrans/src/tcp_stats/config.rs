//! The receiver's configuration.

use otel_tcpretrans_pipeline::config::{Interval, Problem, fit};
use serde::{Deserialize, Serialize};

/// Configuration of a `tcp_stats` receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Time between two reports.
    pub interval: Interval,
    /// Which network namespaces are read.
    pub scope: Scope,
}

/// Which network namespaces are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Those of all processes that this process may see.
    #[default]
    Host,
    /// Its own.
    Netns,
}

impl Default for Config {
    fn default() -> Self {
        Config { interval: Interval::from_secs(10), scope: Scope::Host }
    }
}

impl Config {
    /// Checks what the types can't.
    pub fn validate(&self) -> Vec<Problem> {
        fit(*self.interval).err().map(|message| Problem::at("interval", message)).into_iter().collect()
    }
}
