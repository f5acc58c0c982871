//! A running pipeline: its entrances, its task and its outlets.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::branch::Branch;
use super::chain::Chain;
use super::limits::PIPELINE_CAPACITY;
use super::logs::LogsPipeline;
use super::metrics::MetricsPipeline;
use super::outlet::{Fanout, Outlet};
use super::plan::{ExporterKey, PipelinePlan};
use super::task::{Node, Spawner, Task};
use crate::books::{Ledger, LedgerKey, Signal};
use crate::component::{Exporter, Host};
use crate::metric::MetricPoint;
use crate::processors::{Aggregator, BatchConfig, Batcher, ProcessorConfig};
use crate::record::Record;

/// A pipeline's task, its entrances and its outlets.
pub(super) struct RunningPipeline {
    signal: Signal,
    ledger: Ledger,
    records: mpsc::Sender<Record>,
    /// Of a metrics pipeline.
    points: Option<mpsc::Sender<MetricPoint>>,
    fanout: watch::Sender<Vec<Arc<Outlet>>>,
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
    /// Starts a pipeline's task. It has no outlets yet. With `inherited` it waits for the sums of its predecessor.
    pub(super) fn start(
        id: &str,
        plan: &PipelinePlan,
        inherited: Option<oneshot::Receiver<Aggregator>>,
        host: &Host,
        spawner: &mut Spawner,
    ) -> RunningPipeline {
        let key = LedgerKey { pipeline: id.to_owned(), signal: plan.signal, exporter: None };
        let ledger = host.books.open(key);
        let (entrance, records) = mpsc::channel(PIPELINE_CAPACITY);
        let (fanout, outlets) = watch::channel(Vec::new());
        let flow = plan.processors.iter().filter_map(|(_, config)| config.flow(host)).collect();
        let chain = Chain::new(flow, ledger.clone());
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
                let (sender, points) = mpsc::channel(PIPELINE_CAPACITY);
                let (begin, begun) = oneshot::channel();
                let pipeline = MetricsPipeline {
                    records,
                    points,
                    chain,
                    aggregate,
                    inherited,
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
            outlets: BTreeMap::new(),
            begun,
            task,
        }
    }

    /// Tells it that its receivers have started, so that 0 is a count and no guess.
    pub(super) fn begin(&mut self) {
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(()); // a task that has panicked begins nothing
        }
    }

    /// Adds an outlet to an exporter.
    pub(super) fn add_outlet(
        &mut self,
        exporter_id: &str,
        exporter: Arc<dyn Exporter>,
        host: &Host,
        spawner: &mut Spawner,
    ) {
        let pipeline = &self.ledger.key().pipeline;
        let ledger = host.books.open(LedgerKey {
            pipeline: pipeline.clone(),
            signal: self.signal,
            exporter: Some(exporter_id.to_owned()),
        });
        let (outlet, outflow) = Outlet::new(ledger, exporter.temporality());
        let node = Node::Outlet { pipeline: pipeline.clone(), exporter: exporter_id.to_owned() };
        let task = spawner.spawn(node, outflow.run(exporter));
        self.outlets.insert(exporter_id.to_owned(), RunningOutlet { outlet: Arc::new(outlet), task });
    }

    /// Puts the outlets into force. They make the pipeline wait where one of its receivers `can_wait`.
    pub(super) fn wire(&self, can_wait: bool) {
        for running in self.outlets.values() {
            running.outlet.set_can_wait(can_wait);
        }
        self.fanout.send_replace(self.outlets.values().map(|running| Arc::clone(&running.outlet)).collect());
    }

    /// A new way into it for records.
    pub(super) fn record_branch(&self) -> Arc<Branch<Record>> {
        Arc::new(Branch::of_records(self.ledger.clone(), self.records.clone()))
    }

    /// A new way into it for metric points; `None` for a logs pipeline.
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

    /// Does it have an outlet to this exporter?
    pub(super) fn has_outlet(&self, exporter_id: &str) -> bool {
        self.outlets.contains_key(exporter_id)
    }

    /// Removes the outlets that `is_gone` names, and returns their tasks. They end when the exporter has taken what is in
    /// them. Call [`wire`](Self::wire) afterwards.
    pub(super) fn take_outlets(
        &mut self,
        is_gone: impl Fn(&ExporterKey) -> bool,
    ) -> Vec<(ExporterKey, Task<()>)> {
        let keys = self.outlets.keys().map(|id| ExporterKey { id: id.clone(), signal: self.signal });
        let gone: Vec<_> = keys.filter(is_gone).collect();
        let outlet = |key: ExporterKey| Some((self.outlets.remove(&key.id)?.task, key));
        gone.into_iter().filter_map(outlet).map(|(task, key)| (key, task)).collect()
    }

    /// Closes the entrances: the task ends once everything in them has gone its way. Returns the rest.
    pub(super) fn close(self) -> ClosedPipeline {
        let key = |id: String| ExporterKey { id, signal: self.signal };
        ClosedPipeline {
            ledger: self.ledger,
            task: self.task,
            outlets: self.outlets.into_iter().map(|(id, running)| (key(id), running.task)).collect(),
        }
    }
}

/// A pipeline without entrances.
pub(super) struct ClosedPipeline {
    pub(super) ledger: Ledger,
    pub(super) task: Task<Option<Aggregator>>,
    pub(super) outlets: Vec<(ExporterKey, Task<()>)>,
}

fn batcher<T>(config: Option<&BatchConfig>) -> Batcher<T> {
    config.map_or_else(Batcher::passing, Batcher::new)
}
