//! Makes the components of a configuration: the graph's factory.

use std::sync::Arc;

use otel_tcpretrans_exporters::debug::{DebugExporter, Output};
use otel_tcpretrans_exporters::file::{FileExporter, Files};
use otel_tcpretrans_exporters::otlp::{Kind, start};
use otel_tcpretrans_exporters::process_environment;
use otel_tcpretrans_exporters::resource::Resource;
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::component::{AnyReceiver, Exporter, ExporterError, Host, ReceiverError};
use otel_tcpretrans_pipeline::graph::Factory;
use otel_tcpretrans_source::{Replay, Tcpretrans};

use crate::components::{ExporterConfig, ReceiverConfig};

/// Makes receivers and exporters of all types.
pub(crate) struct Components {
    /// What all `debug` exporters write to.
    stdout: Output,
    /// What `file` exporters write to.
    files: Files,
}

/// An exporter of a plan: its configuration, and the resource that it sends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExporterPlan {
    pub(crate) config: ExporterConfig,
    pub(crate) resource: Arc<Resource>,
}

impl Components {
    pub(crate) fn new() -> Self {
        Components { stdout: Output::stdout(), files: Files::default() }
    }
}

impl Factory for Components {
    type Receiver = ReceiverConfig;
    type Exporter = ExporterPlan;

    fn receiver(&self, _id: &str, config: &ReceiverConfig) -> Result<AnyReceiver, ReceiverError> {
        Ok(AnyReceiver::Records(match config {
            ReceiverConfig::Tcpretrans(config) => Box::new(Tcpretrans::new(config.clone())),
            ReceiverConfig::Replay(config) => Box::new(Replay::new(config.clone())),
        }))
    }

    fn exporter(
        &self,
        id: &str,
        signal: Signal,
        ExporterPlan { config, resource }: &ExporterPlan,
        host: &Host,
    ) -> Result<Arc<dyn Exporter>, ExporterError> {
        Ok(match config {
            ExporterConfig::Otlp(section) => {
                start(id, Kind::Otlp, signal, section, &process_environment, resource, &host.books)?
            }
            ExporterConfig::OtlpHttp(section) => {
                start(id, Kind::OtlpHttp, signal, section, &process_environment, resource, &host.books)?
            }
            ExporterConfig::File(config) => Arc::new(FileExporter::open(id, config, resource, &self.files)?),
            ExporterConfig::Debug(config) => Arc::new(DebugExporter::new(id, config, self.stdout.clone())),
        })
    }
}
