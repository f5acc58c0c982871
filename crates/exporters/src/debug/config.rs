//! Configuration of the `debug` exporter.

use otel_tcpretrans_pipeline::config::Problem;
use serde::{Deserialize, Serialize};

/// Configuration of a `debug` exporter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How much is printed of each item.
    pub verbosity: Verbosity,
}

/// How much `debug` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verbosity {
    /// One readable line per item.
    #[default]
    Basic,
    /// The same line, followed by all attributes.
    Normal,
    /// Several lines per item, one per attribute.
    Detailed,
}

impl Config {
    /// Finds no problems, since the types express all that can be wrong.
    pub fn validate(&self) -> Vec<Problem> {
        Vec::new()
    }
}
