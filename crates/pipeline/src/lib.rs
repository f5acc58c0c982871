//! Records of retransmissions, and the pipelines that carry them from receivers to exporters.
//!
//! Records travel one way:
//!
//! ```text
//! receiver -> bounded channel -> its stage -> the pipelines that name it
//!   logs pipeline:    flow processors -> batch -> an outlet per exporter
//!   metrics pipeline: flow processors -> aggregate -> batch -> an outlet per exporter
//! ```
//!
//! Everything that does not come out at the far end is counted in [`books`], at a named place, for a named reason.
//! This crate knows no receiver: what is a kernel's or a file's is turned into records in the receiver's own crate.

pub mod attribute;
pub mod books;
pub mod clock;
pub mod component;
pub mod config;
pub mod delivery;
pub mod graph;
pub mod metric;
pub mod processors;
pub mod record;
pub mod say_once;
pub mod status;
pub mod telemetry;

#[cfg(test)]
mod fixtures;
