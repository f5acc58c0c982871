//! The running parts of a graph.

use std::collections::BTreeMap;

use super::exporter::RunningExporter;
use super::pipeline::RunningPipeline;
use super::plan::ExporterKey;
use super::receiver::RunningReceiver;
use super::task::Task;

/// Running components: all of a graph, or only those that are being started or stopped.
#[derive(Default)]
pub(super) struct Parts {
    /// By id.
    pub(super) receivers: BTreeMap<String, RunningReceiver>,
    /// By id.
    pub(super) pipelines: BTreeMap<String, RunningPipeline>,
    pub(super) exporters: BTreeMap<ExporterKey, RunningExporter>,
    /// Outlets that no pipeline feeds any more. Each ends when its exporter has taken everything that is in it.
    pub(super) closed_outlets: Vec<(ExporterKey, Task<()>)>,
}
