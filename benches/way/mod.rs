//! The whole way of a record in this process, from a recording to a sink, and how many allocations it takes. The sink is a
//! process of its own, so that its allocations are not counted.

use std::alloc::System;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use otel_tcpretrans_exporters::otlp::{self, Compression};
use otel_tcpretrans_exporters::resource::Resource;
use otel_tcpretrans_pipeline::books::Signal;
use otel_tcpretrans_pipeline::component::{
    AnyReceiver, Exporter, ExporterError, Host, Produces, ReceiverError,
};
use otel_tcpretrans_pipeline::delivery::{OnFull, QueueConfig};
use otel_tcpretrans_pipeline::graph::{ExporterKey, Factory, Graph, PipelinePlan, Plan, ReceiverPlan};
use otel_tcpretrans_pipeline::processors::ProcessorConfig;
use otel_tcpretrans_source::{Replay, replay};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Builder;
use tokio::time::Instant;

use crate::helper::Helper;
use crate::recording;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A short and a long recording. The difference leaves out what the start and the end take.
const EVENTS: [u64; 2] = [50_000, 200_000];
const DEADLINE: Duration = Duration::from_secs(60);

/// Two recordings and a sink.
pub struct Way {
    recordings: [tempfile::NamedTempFile; 2],
    sink: Helper,
}

impl Way {
    pub fn new() -> Way {
        let recordings = EVENTS.map(|events| {
            let file = tempfile::NamedTempFile::new().expect("a file");
            recording::write(file.path(), events).expect("writing the recording");
            file
        });
        Way { recordings, sink: Helper::sink(Duration::ZERO) }
    }

    /// Allocations per record that goes through pipelines of these signals.
    pub fn allocations_per_record(&self, signals: &[Signal], compression: Compression) -> f64 {
        let config = otlp::Config {
            endpoint: Some(format!("http://127.0.0.1:{}", self.sink.port)),
            compression: Some(compression),
            sending_queue: QueueConfig { on_full: Some(OnFull::Block), ..QueueConfig::default() },
            ..otlp::Config::default()
        };
        let [few, many] = [0, 1].map(|which| {
            let plan = plan(self.recordings[which].path(), signals, &config);
            allocations_of(plan, EVENTS[which])
        });
        (many as f64 - few as f64) / (EVENTS[1] - EVENTS[0]) as f64
    }
}

/// How often this process has asked for memory until now.
fn allocations() -> u64 {
    let stats = ALLOCATOR.stats();
    (stats.allocations + stats.reallocations) as u64
}

/// What the plan of a replay takes from its start to its end. Nothing may be lost.
fn allocations_of(plan: Plan<replay::Config, otlp::Config>, events: u64) -> u64 {
    let before = allocations();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let host = Host::default();
    runtime.block_on(async {
        let mut graph = Graph::new(Components, host.clone());
        graph.apply(plan, Instant::now() + DEADLINE).await.expect("the graph");
        graph.finished().await.expect("the end of the recording");
        graph.stop(Instant::now() + DEADLINE).await;
    });
    let taken = allocations() - before;
    for (key, counts) in host.books.snapshot().ledgers {
        assert_eq!((counts.dropped_total(), counts.in_flight()), (0, 0), "{key:?}");
        let all = if key.exporter.is_none() { counts.accepted } else { counts.delivered };
        assert!(all == events || key.signal == Signal::Metrics, "{all} of {events}: {key:?}");
    }
    taken
}

fn plan(file: &Path, signals: &[Signal], exporter: &otlp::Config) -> Plan<replay::Config, otlp::Config> {
    let config = replay::Config { file: PathBuf::from(file), ..replay::Config::default() };
    let receivers = [("replay".to_owned(), ReceiverPlan { produces: Produces::Records, config })];
    let batch = ("batch".to_owned(), ProcessorConfig::Batch(Default::default()));
    let aggregate = ("aggregate".to_owned(), ProcessorConfig::Aggregate(Default::default()));
    let pipelines = signals.iter().map(|&signal| {
        let processors = match signal {
            Signal::Logs => vec![batch.clone()],
            Signal::Metrics => vec![aggregate.clone(), batch.clone()],
        };
        let (receivers, exporters) = (vec!["replay".to_owned()], vec!["otlp".to_owned()]);
        (<&str>::from(signal).to_owned(), PipelinePlan { signal, receivers, processors, exporters })
    });
    let exporters =
        signals.iter().map(|&signal| (ExporterKey { id: "otlp".to_owned(), signal }, exporter.clone()));
    Plan { receivers: receivers.into(), exporters: exporters.collect(), pipelines: pipelines.collect() }
}

/// Makes the two components of such a plan.
struct Components;

impl Factory for Components {
    type Receiver = replay::Config;
    type Exporter = otlp::Config;

    fn receiver(&self, _id: &str, config: &replay::Config) -> Result<AnyReceiver, ReceiverError> {
        Ok(AnyReceiver::Records(Box::new(Replay::new(config.clone()))))
    }

    fn exporter(
        &self,
        id: &str,
        signal: Signal,
        config: &otlp::Config,
        host: &Host,
    ) -> Result<Arc<dyn Exporter>, ExporterError> {
        Ok(otlp::start(
            id,
            otlp::Kind::Otlp,
            signal,
            config,
            &|_| None,
            &Resource::default(),
            None,
            &host.books,
        )?)
    }
}
