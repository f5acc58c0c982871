//! Turns a configuration into the plan of a graph. Pure: it starts and opens nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use otel_tcpretrans_exporters::resource::Resource;
use otel_tcpretrans_pipeline::graph::{ExporterKey, PipelinePlan, Plan, ReceiverPlan};

use crate::components::{ExtensionConfig, ReceiverConfig};
use crate::config::{Config, signal};
use crate::factory::ExporterPlan;

/// Plans the pipelines of a configuration that was checked, and what they use. A component that no pipeline names is
/// left out.
pub(crate) fn plan(config: &Config, resource: Arc<Resource>) -> Plan<ReceiverConfig, ExporterPlan> {
    let pipelines: BTreeMap<String, PipelinePlan> = config
        .service
        .pipelines
        .iter()
        .filter_map(|(id, pipeline)| {
            let processor = |id: &String| Some((id.clone(), config.processors.get(id)?.clone()));
            let plan = PipelinePlan {
                signal: signal(id).ok()?,
                receivers: pipeline.receivers.clone(),
                processors: pipeline.processors.iter().filter_map(processor).collect(),
                exporters: pipeline.exporters.clone(),
            };
            Some((id.clone(), plan))
        })
        .collect();
    let used: BTreeSet<&String> = pipelines.values().flat_map(|pipeline| &pipeline.receivers).collect();
    let receivers = used.into_iter().filter_map(|id| {
        let config = config.receivers.get(id)?;
        Some((id.clone(), ReceiverPlan { produces: config.produces(), config: config.clone() }))
    });
    let exporters =
        pipelines.values().flat_map(PipelinePlan::exporter_keys).filter_map(|key: ExporterKey| {
            let exporter = config.exporters.get(&key.id)?.clone();
            let storage = exporter.storage().and_then(|id| match config.extensions.get(id)? {
                ExtensionConfig::FileStorage(storage) => Some(storage.clone()),
                ExtensionConfig::HealthCheck(_) | ExtensionConfig::Zpages(_) => None, // the check of the configuration refuses that
            });
            Some((key, ExporterPlan { config: exporter, resource: Arc::clone(&resource), storage }))
        });
    Plan { receivers: receivers.collect(), exporters: exporters.collect(), pipelines }
}

#[cfg(test)]
mod tests {
    use otel_tcpretrans_pipeline::books::Signal;

    use super::*;
    use crate::components::ExporterConfig;
    use crate::config::Pipeline;

    #[test]
    fn only_what_a_pipeline_names_is_planned() {
        let mut config = Config::default();
        let replay = || ReceiverConfig::Replay(otel_tcpretrans_source::replay::Config::default());
        config.receivers = [("replay".to_owned(), replay()), ("replay/idle".to_owned(), replay())].into();
        let debug = || ExporterConfig::Debug(otel_tcpretrans_exporters::debug::Config::default());
        config.exporters = [("debug".to_owned(), debug()), ("debug/idle".to_owned(), debug())].into();
        let logs = Pipeline {
            receivers: vec!["replay".to_owned()],
            exporters: vec!["debug".to_owned()],
            ..Pipeline::default()
        };
        config.service.pipelines = [("logs".to_owned(), logs)].into();
        let plan = plan(&config, Arc::default());
        assert_eq!(plan.receivers.keys().collect::<Vec<_>>(), ["replay"]);
        let key = ExporterKey { id: "debug".to_owned(), signal: Signal::Logs };
        assert_eq!(plan.exporters.keys().collect::<Vec<_>>(), [&key]);
        assert_eq!(plan.pipelines.keys().collect::<Vec<_>>(), ["logs"]);
    }
}
