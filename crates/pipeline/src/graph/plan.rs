//! The plan of a graph: what has to run and how it is connected, as plain values that can be compared.

use std::collections::BTreeMap;

use super::check::{Declared, Outline, check_pipeline};
use crate::books::Signal;
use crate::component::Produces;
use crate::config::Problem;
use crate::processors::{AggregateConfig, ProcessorConfig};

/// What has to run. `R` and `E` are the configurations of receivers and exporters. The graph only compares them and
/// hands them to its [factory](super::Factory). The default is the plan of nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<R, E> {
    /// By component id.
    pub receivers: BTreeMap<String, ReceiverPlan<R>>,
    /// By component id and signal: an exporter runs once per signal.
    pub exporters: BTreeMap<ExporterKey, E>,
    /// By pipeline id.
    pub pipelines: BTreeMap<String, PipelinePlan>,
}

/// A receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiverPlan<R> {
    /// What the receiver makes.
    pub produces: Produces,
    /// Its configuration.
    pub config: R,
}

/// The key of an exporter in a graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExporterKey {
    /// Component id.
    pub id: String,
    /// The signal that it sends.
    pub signal: Signal,
}

/// A pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelinePlan {
    /// The signal that it carries.
    pub signal: Signal,
    /// Ids of the receivers that feed it.
    pub receivers: Vec<String>,
    /// Component id and configuration of each processor, in order.
    pub processors: Vec<(String, ProcessorConfig)>,
    /// Ids of the exporters that it feeds.
    pub exporters: Vec<String>,
}

impl<R, E> Default for Plan<R, E> {
    fn default() -> Self {
        Plan { receivers: BTreeMap::new(), exporters: BTreeMap::new(), pipelines: BTreeMap::new() }
    }
}

impl<R, E> Plan<R, E> {
    /// The first reason why the plan can't run, with the id of its pipeline.
    pub(super) fn first_problem(&self) -> Option<(String, Problem)> {
        let receivers = self.receivers.iter().map(|(id, plan)| (id.clone(), Some(plan.produces))).collect();
        self.pipelines.iter().find_map(|(id, pipeline)| {
            let stages = pipeline.processors.iter().map(|(id, config)| (id.clone(), Some(config.stage())));
            let of_signal = self.exporters.keys().filter(|key| key.signal == pipeline.signal);
            let declared = Declared {
                receivers: &receivers,
                processors: &stages.collect(),
                exporters: &of_signal.map(|key| key.id.clone()).collect(),
            };
            let processors: Vec<_> = pipeline.processors.iter().map(|(id, _)| id.clone()).collect();
            let outline = Outline {
                signal: pipeline.signal,
                receivers: &pipeline.receivers,
                processors: &processors,
                exporters: &pipeline.exporters,
            };
            let problem = check_pipeline(&outline, &declared).into_iter().next()?;
            Some((id.clone(), problem))
        })
    }
}

impl PipelinePlan {
    /// The keys of the exporters that it feeds.
    pub fn exporter_keys(&self) -> impl Iterator<Item = ExporterKey> {
        self.exporters.iter().map(|id| ExporterKey { id: id.clone(), signal: self.signal })
    }

    /// Id and configuration of its `aggregate`; an empty id and the defaults if it names none. `None` for a logs
    /// pipeline.
    pub(super) fn aggregate(&self) -> Option<(&str, AggregateConfig)> {
        let named = self.processors.iter().find_map(|(id, processor)| match processor {
            ProcessorConfig::Aggregate(config) => Some((id.as_str(), config.clone())),
            _ => None,
        });
        (self.signal == Signal::Metrics).then(|| named.unwrap_or_default())
    }
}
