//! Records of retransmissions and the pipeline that carries them from a receiver to the exporters.
//!
//! Records travel one way:
//!
//! ```text
//! receiver -> Record -> bounded channel -> flow stage: counts them -> fan-out to the pipelines
//!   logs pipeline:    flow processors -> batch -> exporters
//!   metrics pipeline: flow processors -> aggregate -> batch -> exporters
//! ```
//!
//! Everything that does not come out at the far end is counted in [`books`], at a named place, for a named reason.
//! This crate knows no receiver: what is a kernel's or a file's is turned into records in the receiver's own crate.

pub mod attribute;
pub mod books;
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
