//! Runs what the commands for people share: one receiver, the conditions of the command line, one exporter.

use std::sync::Arc;
use std::time::Duration;

use otel_tcpretrans_exporters::zpages;
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::component::{
    AnyReceiver, Exporter, ExporterError, Host, Produces, ReceiverError,
};
use otel_tcpretrans_pipeline::config::Interval;
use otel_tcpretrans_pipeline::graph::{ExporterKey, Factory, PipelinePlan, Plan, ReceiverPlan};
use otel_tcpretrans_pipeline::processors::{Condition, FilterConfig, ProcessorConfig};
use otel_tcpretrans_sandbox::Access;
use otel_tcpretrans_source::config::Wakeup;
use otel_tcpretrans_source::{Config, replay};
use tokio::runtime::Builder;

use crate::cli::Shown;
use crate::components::ReceiverConfig;
use crate::config::{LogLevel, Sandboxing};
use crate::factory::Components;
use crate::logs;
use crate::sandbox::Confined;
use crate::service::{self, Service, Until};
use crate::signals::Signals;

/// How long a stop may take to show what is on its way.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the kernel may hold back a record from a person. Over a perf buffer the receiver's default is 200 ms.
const SHOWN_WITHIN: Interval = Interval::from_millis(20);

/// What a command watches, and with what.
pub(super) struct Watching {
    /// Where the records come from.
    pub(super) receiver: Source,
    /// Records that match any of these stay. If there are none, all records stay.
    pub(super) conditions: Vec<Condition>,
    /// What they go through afterwards, by id.
    pub(super) processors: Vec<(String, ProcessorConfig)>,
    /// Takes the records. It is the only exporter, and its id is that of the command.
    pub(super) exporter: (&'static str, Arc<dyn Exporter>),
    /// The log, and the level that it is to have.
    pub(super) log: (logs::Level, LogLevel),
    /// What the command reads, such as the books. The starter of it is replaced.
    pub(super) host: Host,
}

/// Where the records come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// A receiver of this process.
    Receiver(ReceiverConfig),
    /// A pipeline of an agent.
    Agent(zpages::Watched),
}

impl Source {
    /// What the command line names.
    pub(super) fn of(shown: &Shown) -> Source {
        let Shown { replay, connect, pipeline, scope, .. } = shown;
        match (replay, connect) {
            (Some(file), _) => Source::Receiver(ReceiverConfig::Replay(replay::Config {
                file: file.clone(),
                ..replay::Config::default()
            })),
            (None, Some(address)) => {
                Source::Agent(zpages::Watched { address: address.clone(), pipeline: pipeline.clone() })
            }
            (None, None) => Source::Receiver(ReceiverConfig::Tcpretrans(Config {
                scope: *scope,
                wakeup: Wakeup { interval: Some(SHOWN_WITHIN), ..Wakeup::default() },
                ..Config::default()
            })),
        }
    }

    /// The id of the receiver.
    fn id(&self) -> &'static str {
        match self {
            Source::Receiver(ReceiverConfig::Replay(_)) => "replay",
            Source::Receiver(ReceiverConfig::Tcpretrans(_) | ReceiverConfig::TcpStats(_)) => "tcpretrans",
            Source::Agent(_) => "agent",
        }
    }

    fn produces(&self) -> Produces {
        match self {
            Source::Receiver(receiver) => receiver.produces(),
            Source::Agent(_) => Produces::Records,
        }
    }
}

/// Watches until a signal (SIGHUP is one, unless `nohup` was there), until `until` is ready, or until the end of a recording. `until` is called on the runtime.
/// `ready` is called once the receiver has started; records may come before that.
///
/// # Errors
/// The receiver does not start, `ready` fails, or something ends that should not.
pub(super) fn watch(
    watching: Watching,
    until: impl FnOnce() -> Until,
    ready: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let confined = Confined::prepare(Sandboxing::default(), access(&watching.receiver))?;
    // The first thread that is started: it keeps what the others have given up when they start.
    let starter = confined.starter()?;
    confined.enter()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let host = Host { starter, ..watching.host.clone() };
    let result = runtime.block_on(async {
        let signals = Signals::install()?;
        let service = service(watching, &confined, until());
        let ready = || {
            host.starter.end();
            confined.seal()?;
            ready()
        };
        service::run(service, &host, signals, ready).await
    });
    // A write to a pipe that nobody reads may never end. This does not wait for it, since the drain has had its time.
    runtime.shutdown_background();
    result
}

fn access(source: &Source) -> Access {
    let mut access = Access::default();
    if let Source::Receiver(ReceiverConfig::Replay(replay)) = source {
        access.read_file(&replay.file);
    }
    access
}

fn service(watching: Watching, confined: &Confined, until: Until) -> Service<OneExporter> {
    let Watching { receiver, conditions, processors, exporter: (command, exporter), log, .. } = watching;
    let id = receiver.id();
    let filter = FilterConfig { include: conditions, ..FilterConfig::default() };
    let filter = (!filter.include.is_empty()).then(|| ("filter".to_owned(), ProcessorConfig::Filter(filter)));
    let pipeline = PipelinePlan {
        signal: Signal::Logs,
        receivers: vec![id.to_owned()],
        processors: filter.into_iter().chain(processors).collect(),
        exporters: vec![command.to_owned()],
    };
    let key = ExporterKey { id: command.to_owned(), signal: Signal::Logs };
    let plan = Plan {
        receivers: [(id.to_owned(), ReceiverPlan { produces: receiver.produces(), config: receiver })].into(),
        exporters: [(key, ())].into(),
        pipelines: [("logs".to_owned(), pipeline)].into(),
    };
    Service {
        factory: OneExporter { receivers: Components::new(confined.confinement()), exporter },
        plan,
        log,
        extensions: Vec::new(),
        shutdown_timeout: SHUTDOWN_TIMEOUT,
        until,
        read_again: None,
    }
}

/// Makes receivers, and gives out one exporter.
struct OneExporter {
    receivers: Components,
    exporter: Arc<dyn Exporter>,
}

impl Factory for OneExporter {
    type Receiver = Source;
    type Exporter = ();

    fn receiver(&self, id: &str, source: &Source) -> Result<AnyReceiver, ReceiverError> {
        match source {
            Source::Receiver(config) => self.receivers.receiver(id, config),
            Source::Agent(watched) => Ok(AnyReceiver::Records(Box::new(zpages::Agent::new(watched.clone())))),
        }
    }

    fn exporter(
        &self,
        _id: &str,
        _signal: Signal,
        (): &(),
        _host: &Host,
    ) -> Result<Arc<dyn Exporter>, ExporterError> {
        Ok(Arc::clone(&self.exporter))
    }
}
