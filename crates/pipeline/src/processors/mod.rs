//! The processors. Each has its own folder or file, with its configuration, its defaults and its validation.

pub mod aggregate;
mod ask;
pub mod batch;
pub mod cgroup;
pub mod filter;
pub mod k8s_attributes;
mod list;
mod merge;
pub mod networks;

pub use aggregate::{AggregateConfig, Aggregator, EVENTS, FAILURES, IO, RETRANSMITS, RTT};
pub use ask::Ask;
pub use batch::{BatchConfig, Batcher};
pub use cgroup::CgroupConfig;
pub use filter::{Condition, FilterConfig};
pub use k8s_attributes::K8sAttributesConfig;
pub use list::{ProcessorConfig, Stage};
pub use networks::NetworksConfig;
