//! Graphs of fake receivers and exporters: how items flow, how a graph changes and how it ends.

#![allow(clippy::unwrap_used)]

mod changes;
mod ends;
mod fake;
mod holding;
mod streams;
mod temporality;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use self::fake::{FakePoints, FakeReceiver, Fakes, Sink, SinkConfig, Source};
use super::{ExporterKey, Graph, PipelinePlan, Plan, ReceiverPlan};
use crate::books::{Books, Counts, Signal};
use crate::component::{Host, Produces};
use crate::fixtures;
use crate::metric::MetricPoint;
use crate::processors::{AggregateConfig, BatchConfig, ProcessorConfig};
use crate::record::Record;

/// Number of points of the first report: each series that can be expected is reported as 0.
const ZEROS: usize = 114;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Builds a plan.
#[derive(Clone, Default)]
struct Wanted(Plan<Source, SinkConfig>);

impl Wanted {
    /// Begins with one receiver, `source`.
    fn from(source: &FakeReceiver) -> Self {
        Wanted::default().receiver("source", source)
    }

    fn receiver(mut self, id: &str, receiver: &FakeReceiver) -> Self {
        let plan = ReceiverPlan { produces: Produces::Records, config: Source::Records(receiver.clone()) };
        self.0.receivers.insert(id.to_owned(), plan);
        self
    }

    fn points(mut self, id: &str, point: MetricPoint) -> Self {
        let plan = ReceiverPlan { produces: Produces::Points, config: Source::Points(FakePoints(point)) };
        self.0.receivers.insert(id.to_owned(), plan);
        self
    }

    /// Adds a pipeline that `source` feeds.
    fn pipeline(
        self,
        id: &str,
        processors: Vec<(&str, ProcessorConfig)>,
        exporters: &[(&str, &Arc<Sink>)],
    ) -> Self {
        self.pipeline_of(&["source"], id, processors, exporters)
    }

    fn pipeline_of(
        mut self,
        receivers: &[&str],
        id: &str,
        processors: Vec<(&str, ProcessorConfig)>,
        exporters: &[(&str, &Arc<Sink>)],
    ) -> Self {
        let signal = if id.starts_with("logs") { Signal::Logs } else { Signal::Metrics };
        for (id, sink) in exporters {
            let key = ExporterKey { id: (*id).to_owned(), signal };
            self.0.exporters.insert(key, SinkConfig::Sink(Arc::clone(sink)));
        }
        let plan = PipelinePlan {
            signal,
            receivers: receivers.iter().map(|id| (*id).to_owned()).collect(),
            processors: processors.into_iter().map(|(id, config)| (id.to_owned(), config)).collect(),
            exporters: exporters.iter().map(|(id, _)| (*id).to_owned()).collect(),
        };
        self.0.pipelines.insert(id.to_owned(), plan);
        self
    }

    /// Starts a graph that runs the plan.
    async fn start(self, books: &Books) -> Graph<Fakes> {
        let mut graph = graph(books);
        graph.apply(self.0, Instant::now() + s(10)).await.unwrap();
        graph
    }
}

fn graph(books: &Books) -> Graph<Fakes> {
    Graph::new(Fakes, Host { books: books.clone(), ..Host::default() })
}

fn filter(yaml: &str) -> (&'static str, ProcessorConfig) {
    ("filter", ProcessorConfig::Filter(serde_yaml::from_str(yaml).unwrap()))
}

fn batch(send_batch_size: usize, timeout: Duration) -> (&'static str, ProcessorConfig) {
    ("batch", ProcessorConfig::Batch(BatchConfig { send_batch_size, timeout: timeout.into() }))
}

fn aggregate(config: AggregateConfig) -> (&'static str, ProcessorConfig) {
    ("aggregate", ProcessorConfig::Aggregate(config))
}

/// Sums that are reported once per `interval` seconds.
fn aggregate_every(interval: u64) -> (&'static str, ProcessorConfig) {
    aggregate(AggregateConfig { interval: s(interval).into(), ..AggregateConfig::default() })
}

fn to_port(port: u16) -> Record {
    fixtures::record_to(([192, 0, 2, 7], port).into())
}

/// The counts of a pipeline's ledger, or of the ledger of its exporter.
fn counts(books: &Books, pipeline: &str, exporter: Option<&str>) -> Counts {
    let ledgers = books.snapshot().ledgers;
    let mut of = ledgers
        .into_iter()
        .filter(|(key, _)| key.pipeline == pipeline && key.exporter.as_deref() == exporter);
    of.next().unwrap().1
}

/// Lets the paused clock run until `happened` is true.
async fn until(mut happened: impl FnMut() -> bool) {
    let wait = async {
        while !happened() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(s(3600), wait).await.unwrap();
}

/// Checks that all items are accounted for. They must be after a stop.
fn assert_balanced(books: &Books) {
    for (key, counts) in books.snapshot().ledgers {
        assert_eq!((counts.in_flight(), counts.queued), (0, 0), "{key:?}: {counts:?}");
    }
}
