//! Records of retransmissions and the pipeline that carries them from a receiver to the exporters.
//!
//! One way, no back and forth:
//!
//! ```text
//! receiver -> Raw (event or gap) -> bounded channel -> flow stage: Raw -> Record -> fan-out to the pipelines
//!   logs pipeline:    flow processors -> batch -> exporters
//!   metrics pipeline: flow processors -> aggregate -> batch -> exporters
//! ```
//!
//! Everything that does not come out at the far end is counted in [`books`], at a named place, for a named reason.

pub mod attribute;
pub mod books;
pub mod component;
pub mod config;
pub mod delivery;
pub mod flow;
pub mod graph;
pub mod metric;
pub mod processors;
pub mod raw;
pub mod say_once;
pub mod status;
pub mod telemetry;

#[cfg(test)]
mod sample;
