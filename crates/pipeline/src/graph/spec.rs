//! What a graph is built from, and which orders of processors make sense.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::books::Signal;
use crate::component::{Exporter, Receiver};
use crate::config::Problem;
use crate::processors::{AggregateConfig, BatchConfig, FilterConfig};

/// A receiver, not yet started.
pub struct ReceiverSpec {
    /// Component id.
    pub id: String,
    /// The receiver.
    pub receiver: Box<dyn Receiver>,
}

/// A pipeline, already parsed.
pub struct PipelineSpec {
    /// Pipeline id.
    pub id: String,
    /// What it carries.
    pub signal: Signal,
    /// Ids of the receivers that feed it.
    pub receivers: Vec<String>,
    /// Component id and configuration, in order.
    pub processors: Vec<(String, ProcessorConfig)>,
    /// Component id and the running exporter for this signal.
    pub exporters: Vec<(String, Arc<dyn Exporter>)>,
}

/// A processor and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessorConfig {
    /// `filter`.
    Filter(FilterConfig),
    /// `batch`.
    Batch(BatchConfig),
    /// `aggregate`.
    Aggregate(AggregateConfig),
}

/// A processor's type.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum ProcessorKind {
    /// Flow records in, fewer flow records out.
    Filter,
    /// Flow records in, metric points out.
    Aggregate,
    /// Fewer, larger batches; last.
    Batch,
}

impl ProcessorConfig {
    /// Its type.
    pub fn kind(&self) -> ProcessorKind {
        match self {
            ProcessorConfig::Filter(_) => ProcessorKind::Filter,
            ProcessorConfig::Batch(_) => ProcessorKind::Batch,
            ProcessorConfig::Aggregate(_) => ProcessorKind::Aggregate,
        }
    }

    /// What is wrong with it.
    pub fn validate(&self) -> Vec<Problem> {
        match self {
            ProcessorConfig::Filter(config) => config.validate(),
            ProcessorConfig::Batch(config) => config.validate(),
            ProcessorConfig::Aggregate(config) => config.validate(),
        }
    }
}

impl PipelineSpec {
    /// What would keep it from being built, given the ids of all receivers.
    pub fn check(&self, receivers: &[&str]) -> Vec<Problem> {
        let kinds: Vec<_> = self.processors.iter().map(|(id, config)| (id.as_str(), config.kind())).collect();
        let mut problems = check_order(self.signal, &kinds);
        if self.receivers.is_empty() {
            problems.push(Problem::at("receivers", "a pipeline needs at least one receiver"));
        }
        if self.exporters.is_empty() {
            problems.push(Problem::at("exporters", "a pipeline needs at least one exporter"));
        }
        for (index, id) in self.receivers.iter().enumerate() {
            let wrong = if !receivers.contains(&id.as_str()) {
                "there is no such receiver"
            } else if self.receivers[..index].contains(id) {
                "it is named twice, and would be counted twice"
            } else {
                continue;
            };
            problems.push(Problem::at(format!("receivers.{index}"), format!("`{id}`: {wrong}")));
        }
        for (index, (id, _)) in self.exporters.iter().enumerate() {
            if self.exporters[..index].iter().any(|(other, _)| other == id) {
                let message = format!("`{id}`: it is named twice, and would get everything twice");
                problems.push(Problem::at(format!("exporters.{index}"), message));
            }
        }
        problems
    }
}

/// Checks a pipeline's processors: flow processors first, then at most one `aggregate` (metrics only), then at most
/// one `batch`. Problems are at `processors.<index>`.
pub fn check_order(signal: Signal, processors: &[(&str, ProcessorKind)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut before: Option<(&str, ProcessorKind)> = None;
    for (index, &(id, kind)) in processors.iter().enumerate() {
        let message = match (kind, before) {
            (ProcessorKind::Aggregate, _) if signal == Signal::Logs => {
                Some(format!("`{id}`: aggregate makes metric points; only metrics pipelines have one"))
            }
            (ProcessorKind::Filter, Some((last, ProcessorKind::Aggregate | ProcessorKind::Batch))) => {
                Some(format!("`{id}` works on flow records and must come before `{last}`"))
            }
            (ProcessorKind::Aggregate, Some((last, ProcessorKind::Batch))) => {
                Some(format!("`{id}` must come before `{last}`: batch is last"))
            }
            (ProcessorKind::Aggregate, Some((last, ProcessorKind::Aggregate)))
            | (ProcessorKind::Batch, Some((last, ProcessorKind::Batch))) => {
                Some(format!("`{id}`: a pipeline has at most one {kind}, and `{last}` is one already"))
            }
            _ => None,
        };
        match message {
            Some(message) => problems.push(Problem::at(format!("processors.{index}"), message)),
            None => before = Some((id, kind)),
        }
    }
    problems
}
