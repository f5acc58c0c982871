//! The list of processors. To add a processor, write its folder and add it to this file.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::k8s_attributes::Cluster;
use super::{
    AggregateConfig, Ask, BatchConfig, CgroupConfig, FilterConfig, K8sAttributesConfig, NetworksConfig,
};
use crate::books::Signal;
use crate::component::{ComponentType, FlowProcessor, Host, Stability};
use crate::config::Problem;

/// A processor and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ProcessorConfig {
    /// Keeps or removes records by conditions on their attributes.
    Filter(FilterConfig),
    /// Names the systemd unit, the container and the pod UID of the socket, by its cgroup.
    Cgroup(CgroupConfig),
    /// Names the networks of both sides.
    Networks(NetworksConfig),
    /// Names pods, workloads, nodes and services of both sides, by the API of Kubernetes.
    K8sAttributes(Box<K8sAttributesConfig>),
    /// Makes monotonic sums of records. A metrics pipeline that names none has one with the defaults.
    Aggregate(AggregateConfig),
    /// Makes few large batches of many small ones.
    Batch(BatchConfig),
}

/// Where in a pipeline a processor works. A pipeline must name its processors in the order of these variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Stage {
    /// Records in, records out. A pipeline has any number of these.
    Flow,
    /// Records in, metric points out. A metrics pipeline has one.
    Aggregate,
    /// Many small batches in, few large batches out. A pipeline has at most one.
    Batch,
}

impl ProcessorConfig {
    /// The types, one per variant and in the order of the variants.
    pub const TYPES: &'static [ComponentType] = &[
        ComponentType { name: "filter", stability: Stability::Alpha, signals: &Signal::ALL },
        ComponentType { name: "cgroup", stability: Stability::Alpha, signals: &Signal::ALL },
        ComponentType { name: "networks", stability: Stability::Alpha, signals: &Signal::ALL },
        ComponentType { name: "k8s_attributes", stability: Stability::Alpha, signals: &Signal::ALL },
        ComponentType { name: "aggregate", stability: Stability::Alpha, signals: &[Signal::Metrics] },
        ComponentType { name: "batch", stability: Stability::Alpha, signals: &Signal::ALL },
    ];

    /// Where in a pipeline it works.
    pub fn stage(&self) -> Stage {
        match self {
            ProcessorConfig::Filter(_)
            | ProcessorConfig::Cgroup(_)
            | ProcessorConfig::Networks(_)
            | ProcessorConfig::K8sAttributes(_) => Stage::Flow,
            ProcessorConfig::Aggregate(_) => Stage::Aggregate,
            ProcessorConfig::Batch(_) => Stage::Batch,
        }
    }

    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        match self {
            ProcessorConfig::Filter(config) => config.validate(),
            ProcessorConfig::Cgroup(config) => config.validate(),
            ProcessorConfig::Networks(config) => config.validate(),
            ProcessorConfig::K8sAttributes(config) => config.validate(),
            ProcessorConfig::Aggregate(config) => config.validate(),
            ProcessorConfig::Batch(config) => config.validate(),
        }
    }

    /// What it asks for that another processor has to find.
    pub fn asks(&self) -> Vec<Ask<'_>> {
        match self {
            ProcessorConfig::Filter(config) => config.asks().collect(),
            ProcessorConfig::Aggregate(config) => config.asks().collect(),
            ProcessorConfig::Cgroup(_)
            | ProcessorConfig::Networks(_)
            | ProcessorConfig::K8sAttributes(_)
            | ProcessorConfig::Batch(_) => Vec::new(),
        }
    }

    /// The names of the attributes that it finds.
    pub fn finds(&self) -> Vec<String> {
        match self {
            ProcessorConfig::Cgroup(config) => config.finds(),
            ProcessorConfig::Networks(config) => config.finds(),
            ProcessorConfig::K8sAttributes(config) => config.finds(),
            ProcessorConfig::Filter(_) | ProcessorConfig::Aggregate(_) | ProcessorConfig::Batch(_) => {
                Vec::new()
            }
        }
    }

    /// Prepares its start, if that takes time. Keep what it returns until it is started.
    ///
    /// # Errors
    /// It can't start. The text says why.
    pub(crate) async fn ready(&self, host: &Host) -> Result<Option<Arc<Cluster>>, String> {
        match self {
            ProcessorConfig::K8sAttributes(config) => config.ready(&host.clusters).await.map(Some),
            _ => Ok(None),
        }
    }

    /// The processor of a [`Stage::Flow`] configuration; `None` for the other stages. `host` has what processors share,
    /// and outlives them.
    pub(crate) fn flow(&self, host: &Host) -> Option<Box<dyn FlowProcessor>> {
        match self {
            ProcessorConfig::Filter(config) => Some(Box::new(config.clone())),
            ProcessorConfig::Cgroup(config) => Some(Box::new(config.start(&host.cgroups))),
            ProcessorConfig::Networks(config) => Some(Box::new(config.start())),
            ProcessorConfig::K8sAttributes(config) => Some(Box::new(config.start(&host.clusters))),
            ProcessorConfig::Aggregate(_) | ProcessorConfig::Batch(_) => None,
        }
    }
}
