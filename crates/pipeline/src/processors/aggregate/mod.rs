//! `aggregate`: adds records up to monotonic sums. The number of series is bounded.

mod added;
mod base;
mod config;
mod metrics;
mod plausible;
mod series;
mod sums;

pub use config::{AggregateConfig, DEFAULT_ATTRIBUTES};
pub use metrics::{EVENTS, FAILURES, IO, METRICS, RETRANSMITS, RTT};
pub use sums::Aggregator;

#[cfg(test)]
mod tests;
