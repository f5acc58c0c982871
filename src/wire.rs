//! A configuration -> the parts of a graph: receivers that are used, and pipelines with their running exporters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use otel_tcpretrans_exporters::debug::{DebugExporter, Output};
use otel_tcpretrans_exporters::resource::Resource;
use otel_tcpretrans_exporters::{otlp, process_environment};
use otel_tcpretrans_pipeline::books::{Books, Signal};
use otel_tcpretrans_pipeline::component::{Exporter, Receiver};
use otel_tcpretrans_pipeline::graph::{PipelineSpec, ReceiverSpec};
use otel_tcpretrans_source::{Replay, Tcpretrans};

use crate::components::{ExporterConfig, ReceiverConfig};
use crate::config::{Config, Pipeline, signal};

/// What a graph starts from.
pub(crate) struct Parts {
    pub(crate) receivers: Vec<ReceiverSpec>,
    pub(crate) pipelines: Vec<PipelineSpec>,
}

/// Builds what the pipelines use; call it on a tokio runtime. Receivers are not started yet, exporters are.
///
/// # Errors
/// An exporter did not start.
pub(crate) fn build(config: &Config, resource: &Resource, books: &Books) -> anyhow::Result<Parts> {
    let mut exporters =
        Exporters { config, resource, books, stdout: Output::stdout(), running: BTreeMap::new() };
    let pipelines = &config.service.pipelines;
    let used: BTreeSet<&String> = pipelines.values().flat_map(|pipeline| &pipeline.receivers).collect();
    let receivers = used.into_iter().filter_map(|id| {
        let receiver = receiver(config.receivers.get(id)?);
        Some(ReceiverSpec { id: id.clone(), receiver })
    });
    Ok(Parts {
        receivers: receivers.collect(),
        pipelines: pipelines
            .iter()
            .map(|(id, pipeline)| self::pipeline(id, pipeline, config, &mut exporters))
            .collect::<anyhow::Result<_>>()?,
    })
}

fn receiver(config: &ReceiverConfig) -> Box<dyn Receiver> {
    match config {
        ReceiverConfig::Tcpretrans(config) => Box::new(Tcpretrans::new(config.clone())),
        ReceiverConfig::Replay(config) => Box::new(Replay::new(config.clone())),
    }
}

fn pipeline(
    id: &str,
    pipeline: &Pipeline,
    config: &Config,
    exporters: &mut Exporters<'_>,
) -> anyhow::Result<PipelineSpec> {
    // The configuration was checked: neither a signal nor a component is unknown.
    let signal = signal(id).map_err(anyhow::Error::msg)?;
    let processor = |id: &String| Some((id.clone(), config.processors.get(id)?.clone()));
    Ok(PipelineSpec {
        id: id.to_owned(),
        signal,
        receivers: pipeline.receivers.clone(),
        processors: pipeline.processors.iter().filter_map(processor).collect(),
        exporters: pipeline
            .exporters
            .iter()
            .map(|id| Ok((id.clone(), exporters.get(id, signal)?)))
            .collect::<anyhow::Result<_>>()?,
    })
}

/// One instance an id and signal, for all pipelines that name it.
struct Exporters<'c> {
    config: &'c Config,
    resource: &'c Resource,
    books: &'c Books,
    stdout: Output,
    running: BTreeMap<(String, Signal), Arc<dyn Exporter>>,
}

impl Exporters<'_> {
    fn get(&mut self, id: &str, signal: Signal) -> anyhow::Result<Arc<dyn Exporter>> {
        let key = (id.to_owned(), signal);
        if let Some(running) = self.running.get(&key) {
            return Ok(Arc::clone(running));
        }
        let config = self.config.exporters.get(id).with_context(|| format!("unknown exporter {id}"))?;
        let exporter = self.start(id, signal, config)?;
        self.running.insert(key, Arc::clone(&exporter));
        Ok(exporter)
    }

    fn start(&self, id: &str, signal: Signal, config: &ExporterConfig) -> anyhow::Result<Arc<dyn Exporter>> {
        Ok(match config {
            ExporterConfig::Otlp(config) => {
                otlp::start(id, signal, config, &process_environment, self.resource, self.books)?
            }
            ExporterConfig::Debug(config) => Arc::new(DebugExporter::new(id, config, self.stdout.clone())),
        })
    }
}
