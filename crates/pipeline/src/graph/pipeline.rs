//! A running pipeline: its entrances, its task and its outlets.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::branch::Branch;
use super::chain::Chain;
use super::exporter::RunningExporter;
use super::limits::{OUTLET_CAPACITY, PIPELINE_CAPACITY};
use super::logs::LogsPipeline;
use super::metrics::MetricsPipeline;
use super::outlet::{Fanout, Outlet};
use super::plan::{ExporterKey, PipelinePlan};
use super::task::{Node, Spawner, Task};
use crate::books::{Ledger, LedgerKey, Signal};
use crate::chunk::{self, Sender};
use crate::component::Host;
use crate::metric::MetricPoint;
use crate::processors::{Aggregator, BatchConfig, Batcher, ProcessorConfig};
use crate::record::Record;

/// A pipeline's task, its entrances and its outlets.
pub(super) struct RunningPipeline {
    signal: Signal,
    ledger: Ledger,
    records: Sender<Record>,
    /// The entrance for metric points; `None` for a logs pipeline.
    points: Option<Sender<MetricPoint>>,
    fanout: watch::Sender<Vec<Arc<Outlet>>>,
    /// Of each outlet, in items.
    outlet_capacity: usize,
    /// By exporter id.
    outlets: BTreeMap<String, RunningOutlet>,
    /// Tells a metrics pipeline that its receivers have started.
    begun: Option<oneshot::Sender<()>>,
    task: Task<Option<Aggregator>>,
}

/// An outlet and the task that empties it.
struct RunningOutlet {
    outlet: Arc<Outlet>,
    task: Task<()>,
}

impl RunningPipeline {
    /// Starts a pipeline's task. It has no outlets yet. A metrics pipeline with a `predecessor` first waits until that one
    /// has ended, and goes on with the sums that it gets from it.
    pub(super) fn start(
        id: &str,
        plan: &PipelinePlan,
        predecessor: Option<oneshot::Receiver<Aggregator>>,
        host: &Host,
        spawner: &mut Spawner,
    ) -> RunningPipeline {
        let key = LedgerKey { pipeline: id.to_owned(), signal: plan.signal, exporter: None };
        let ledger = host.books.open(key);
        let (entrance, records) = chunk::channel(PIPELINE_CAPACITY);
        let (fanout, outlets) = watch::channel(Vec::new());
        let flow = plan.processors.iter().filter_map(|(_, config)| config.flow(host)).collect();
        let chain = Chain::new(flow, ledger.clone(), host.taps.of(id));
        let batch = plan.processors.iter().find_map(|(_, config)| match config {
            ProcessorConfig::Batch(config) => Some(config),
            _ => None,
        });
        let fanned = Fanout::new(outlets);
        let node = Node::Pipeline(id.to_owned());
        let (points, begun, task) = match plan.aggregate() {
            None => {
                let batcher = batcher(batch);
                let pipeline =
                    LogsPipeline { records, chain, batcher, fanout: fanned, ledger: ledger.clone() };
                let task = spawner.spawn(node, async move {
                    pipeline.run().await;
                    None
                });
                (None, None, task)
            }
            Some((_, aggregate)) => {
                let (sender, points) = chunk::channel(PIPELINE_CAPACITY);
                let (begin, begun) = oneshot::channel();
                let pipeline = MetricsPipeline {
                    records,
                    points,
                    chain,
                    aggregate,
                    predecessor,
                    begun,
                    batcher: batcher(batch),
                    fanout: fanned,
                    ledger: ledger.clone(),
                };
                (Some(sender), Some(begin), spawner.spawn(node, async move { Some(pipeline.run().await) }))
            }
        };
        RunningPipeline {
            signal: plan.signal,
            ledger,
            records: entrance,
            points,
            fanout,
            outlet_capacity: outlet_capacity(plan),
            outlets: BTreeMap::new(),
            begun,
            task,
        }
    }

    /// Tells it that its receivers have started. From then on a 0 is a count and not a guess.
    pub(super) fn begin(&mut self) {
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(()); // the task may have panicked
        }
    }

    /// Adds an outlet to an exporter.
    pub(super) fn add_outlet(
        &mut self,
        exporter_id: &str,
        exporter: &mut RunningExporter,
        host: &Host,
        spawner: &mut Spawner,
    ) {
        let pipeline = &self.ledger.key().pipeline;
        let key = LedgerKey {
            pipeline: pipeline.clone(),
            signal: self.signal,
            exporter: Some(exporter_id.to_owned()),
        };
        let ledger = exporter.ledger(key, &host.books);
        let exporter = Arc::clone(&exporter.exporter);
        let (outlet, outflow) = Outlet::new(ledger, exporter.temporality(), self.outlet_capacity);
        let node = Node::Outlet { pipeline: pipeline.clone(), exporter: exporter_id.to_owned() };
        let task = spawner.spawn(node, outflow.run(exporter));
        self.outlets.insert(exporter_id.to_owned(), RunningOutlet { outlet: Arc::new(outlet), task });
    }

    /// Connects the task to the pipeline's current outlets. `can_wait` says whether one of its receivers can wait; the
    /// pipeline then waits for room in them.
    pub(super) fn wire(&self, can_wait: bool) {
        for running in self.outlets.values() {
            running.outlet.set_can_wait(can_wait);
        }
        self.fanout.send_replace(self.outlets.values().map(|running| Arc::clone(&running.outlet)).collect());
    }

    /// A new branch into it, for records.
    pub(super) fn record_branch(&self) -> Arc<Branch<Record>> {
        Arc::new(Branch::of_records(self.ledger.clone(), self.records.clone()))
    }

    /// A new branch into it, for metric points; `None` for a logs pipeline.
    pub(super) fn point_branch(&self) -> Option<Arc<Branch<MetricPoint>>> {
        let points = self.points.clone()?;
        Some(Arc::new(Branch::of_points(self.ledger.key().pipeline.clone(), points)))
    }

    /// The number of its task.
    pub(super) fn number(&self) -> u64 {
        self.task.number
    }

    /// The number of the task of an outlet.
    pub(super) fn outlet_number(&self, exporter_id: &str) -> Option<u64> {
        self.outlets.get(exporter_id).map(|running| running.task.number)
    }

    /// Whether it has an outlet to this exporter.
    pub(super) fn has_outlet(&self, exporter_id: &str) -> bool {
        self.outlets.contains_key(exporter_id)
    }

    /// Removes the outlets for which `is_gone` is true, and returns their tasks. Each ends when its exporter has taken
    /// everything that is in it. Call [`wire`](Self::wire) afterwards.
    pub(super) fn take_outlets(
        &mut self,
        is_gone: impl Fn(&ExporterKey) -> bool,
    ) -> Vec<(ExporterKey, Task<()>)> {
        let keys = self.outlets.keys().map(|id| ExporterKey { id: id.clone(), signal: self.signal });
        let gone: Vec<_> = keys.filter(is_gone).collect();
        let taken = gone.into_iter().filter_map(|key| {
            let running = self.outlets.remove(&key.id)?;
            Some((key, running.task))
        });
        taken.collect()
    }

    /// Closes the entrances. The task ends when it has handed over everything that is in them. Returns the other parts.
    pub(super) fn close(self) -> ClosedPipeline {
        let key = |id: String| ExporterKey { id, signal: self.signal };
        ClosedPipeline {
            ledger: self.ledger,
            task: self.task,
            outlets: self.outlets.into_iter().map(|(id, running)| (key(id), running.task)).collect(),
        }
    }
}

/// A pipeline whose entrances are closed.
pub(super) struct ClosedPipeline {
    pub(super) ledger: Ledger,
    pub(super) task: Task<Option<Aggregator>>,
    pub(super) outlets: Vec<(ExporterKey, Task<()>)>,
}

/// A report leaves the pipeline at once, in however many batches. There is room for two: an exporter may still be busy with
/// the one before.
fn outlet_capacity(plan: &PipelinePlan) -> usize {
    let reports = plan.aggregate().map_or(0, |(_, aggregate)| aggregate.largest_report().saturating_mul(2));
    OUTLET_CAPACITY.max(reports)
}

fn batcher<T>(config: Option<&BatchConfig>) -> Batcher<T> {
    config.map_or_else(Batcher::passing, Batcher::new)
}
