//! The graph: receivers, their stages, pipelines, outlets and exporters. To start, change or stop it, give it a
//! [`Plan`]. The graph works out the difference to what runs, and carries it out.

mod apply;
mod branch;
mod chain;
mod check;
mod diff;
mod drain;
mod error;
mod event;
mod exporter;
mod factory;
mod item;
mod limits;
mod logs;
mod metrics;
mod outlet;
mod parts;
mod pipeline;
mod plan;
mod receiver;
mod show;
mod stage;
mod task;
#[cfg(test)]
mod tests;
mod timer;

pub use apply::Graph;
pub use check::{Declared, Outline, check_pipeline};
pub use error::{Failure, StartError};
pub use event::Event;
pub use factory::Factory;
pub use plan::{ExporterKey, PipelinePlan, Plan, ReceiverPlan};
