//! The list of processors: a new one has its own folder and its lines in this file.

use serde::{Deserialize, Serialize};

use super::{AggregateConfig, BatchConfig, FilterConfig};
use crate::books::Signal;
use crate::component::{ComponentType, FlowProcessor, Host, Stability};
use crate::config::Problem;

/// A processor and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ProcessorConfig {
    /// `filter`.
    Filter(FilterConfig),
    /// `aggregate`.
    Aggregate(AggregateConfig),
    /// `batch`.
    Batch(BatchConfig),
}

/// Where in a pipeline a processor works. Variants are in the order in which processors may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Stage {
    /// Records in, records out. A pipeline has any number of these.
    Flow,
    /// Records in, metric points out. A metrics pipeline has one.
    Aggregate,
    /// Few large batches of many small ones. A pipeline has at most one.
    Batch,
}

impl ProcessorConfig {
    /// The types, one per variant and in the order of the variants.
    pub const TYPES: &'static [ComponentType] = &[
        ComponentType { name: "filter", stability: Stability::Alpha, signals: &Signal::ALL },
        ComponentType { name: "aggregate", stability: Stability::Alpha, signals: &[Signal::Metrics] },
        ComponentType { name: "batch", stability: Stability::Alpha, signals: &Signal::ALL },
    ];

    /// Where it works.
    pub fn stage(&self) -> Stage {
        match self {
            ProcessorConfig::Filter(_) => Stage::Flow,
            ProcessorConfig::Aggregate(_) => Stage::Aggregate,
            ProcessorConfig::Batch(_) => Stage::Batch,
        }
    }

    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        match self {
            ProcessorConfig::Filter(config) => config.validate(),
            ProcessorConfig::Aggregate(config) => config.validate(),
            ProcessorConfig::Batch(config) => config.validate(),
        }
    }

    /// The processor of a [`Stage::Flow`] configuration; `None` for the other stages. `host` has what processors share
    /// and what outlives them.
    pub(crate) fn flow(&self, _host: &Host) -> Option<Box<dyn FlowProcessor>> {
        match self {
            ProcessorConfig::Filter(config) => Some(Box::new(config.clone())),
            ProcessorConfig::Aggregate(_) | ProcessorConfig::Batch(_) => None,
        }
    }
}
