//! What a person reads: trace, top and report, each an exporter of a logs pipeline.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))] // a test may fail

pub mod colours;
#[cfg(test)]
mod fixtures;
mod kernel;
pub mod reason;
pub mod report;
pub mod top;
pub mod trace;
