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
//! Every item that does not reach a backend is counted in [`books`], with a named place and a named reason. This crate
//! does not depend on any receiver: each receiver's own crate turns what it reads from the kernel or from a file into
//! records.

pub mod attribute;
pub mod blocking;
pub mod books;
pub mod chunk;
pub mod clock;
pub mod component;
pub mod config;
pub mod delivery;
pub mod graph;
pub mod health;
pub mod metric;
pub mod processors;
pub mod pulses;
pub mod recent;
pub mod record;
pub mod reloads;
pub mod rotating;
pub mod running;
pub mod say_once;
pub mod status;
pub mod storage;
pub mod taps;
pub mod telemetry;
pub mod text;

#[cfg(test)]
mod fixtures;
