//! What the page has to know beside what the host has.

use std::time::Duration;

use tokio::time::Instant;

/// What the page has to know beside what the host has.
#[derive(Clone, Debug)]
pub struct About {
    /// Prefix of the metrics that the Collector does not have.
    pub namespace: &'static str,
    /// Ids of all extensions that are started.
    pub extensions: Vec<String>,
    /// How long an exporter may fail before the page calls that unhealthy.
    pub unhealthy_after: Duration,
    /// When the process has started.
    pub started: Instant,
}
