//! The section of a `zpages` extension in the configuration file, with the key of the Collector's extension.

use otel_tcpretrans_pipeline::config::Problem;
use serde::{Deserialize, Serialize};

use crate::http::wrong_address;

/// Configuration of a `zpages` extension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address to listen on, `HOST:PORT`. Default `127.0.0.1:55679`.
    pub endpoint: String,
}

impl Default for Config {
    fn default() -> Self {
        Config { endpoint: "127.0.0.1:55679".to_owned() }
    }
}

impl Config {
    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        Vec::from_iter(wrong_address("endpoint", &self.endpoint))
    }
}
