//! Makes the components of a configuration: the graph's factory.

use std::sync::Arc;

use otel_tcpretrans_exporters::debug::{DebugExporter, Output};
use otel_tcpretrans_exporters::file::{FileExporter, Files};
use otel_tcpretrans_exporters::otlp::{self, Kind};
use otel_tcpretrans_exporters::process_environment;
use otel_tcpretrans_exporters::prometheus::{PrometheusExporter, Servers};
use otel_tcpretrans_exporters::resource::Resource;
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::component::{
    AnyReceiver, Confinement, Exporter, ExporterError, Host, ReceiverError,
};
use otel_tcpretrans_pipeline::graph::Factory;
use otel_tcpretrans_pipeline::storage::{self, Storages};
use otel_tcpretrans_source::{Audit, Replay, TcpStats, Tcpretrans};

use crate::components::{ExporterConfig, ReceiverConfig};

/// Makes receivers and exporters of all types.
pub(crate) struct Components {
    /// What all `debug` exporters write to.
    stdout: Output,
    /// What `file` exporters write to.
    files: Files,
    /// What `prometheus` exporters listen with.
    servers: Servers,
    /// The directories of `file_storage` extensions.
    storages: Storages,
    /// What `tcp_stats` compares with the kernel's counts.
    audit: Audit,
    /// How the threads of receivers give up their privileges.
    confinement: Confinement,
}

/// An exporter of a plan: its configuration, and the resource that it sends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExporterPlan {
    pub(crate) config: ExporterConfig,
    pub(crate) resource: Arc<Resource>,
    /// The extension that keeps its queue on disk. It is part of the plan, so that a change of it restarts the exporter.
    pub(crate) storage: Option<storage::Config>,
}

impl Components {
    pub(crate) fn new(confinement: Confinement) -> Self {
        Components {
            stdout: Output::stdout(),
            files: Files::default(),
            servers: Servers::default(),
            storages: Storages::default(),
            audit: Audit::default(),
            confinement,
        }
    }
}

impl Factory for Components {
    type Receiver = ReceiverConfig;
    type Exporter = ExporterPlan;

    fn receiver(&self, _id: &str, config: &ReceiverConfig) -> Result<AnyReceiver, ReceiverError> {
        Ok(match config {
            ReceiverConfig::Tcpretrans(config) => {
                let receiver = Tcpretrans::new(config.clone()).audited(&self.audit);
                AnyReceiver::Records(Box::new(receiver.confined_by(&self.confinement)))
            }
            ReceiverConfig::Replay(config) => AnyReceiver::Records(Box::new(Replay::new(config.clone()))),
            ReceiverConfig::TcpStats(config) => {
                let receiver = TcpStats::new(config.clone()).auditing(&self.audit);
                AnyReceiver::Points(Box::new(receiver.confined_by(&self.confinement)))
            }
        })
    }

    fn exporter(
        &self,
        id: &str,
        signal: Signal,
        ExporterPlan { config, resource, storage }: &ExporterPlan,
        host: &Host,
    ) -> Result<Arc<dyn Exporter>, ExporterError> {
        let otlp = |kind, section: &otlp::Config| {
            let storage = storage.as_ref().map(|config| self.storages.open(config));
            let storage = storage
                .transpose()
                .map_err(|source| otlp::StartError::Storage { id: id.to_owned(), source })?;
            otlp::start(id, kind, signal, section, &process_environment, resource, storage, &host.books)
        };
        Ok(match config {
            ExporterConfig::Otlp(section) => otlp(Kind::Otlp, section)?,
            ExporterConfig::OtlpHttp(section) => otlp(Kind::OtlpHttp, section)?,
            ExporterConfig::Prometheus(config) => {
                Arc::new(PrometheusExporter::start(id, config, resource, &self.servers)?)
            }
            ExporterConfig::File(config) => Arc::new(FileExporter::open(id, config, resource, &self.files)?),
            ExporterConfig::Debug(config) => Arc::new(DebugExporter::new(id, config, self.stdout.clone())),
        })
    }
}
