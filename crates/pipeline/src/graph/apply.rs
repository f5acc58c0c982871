//! The graph: what runs, and how a new plan is carried out.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;
use tracing::{error, info};

use super::diff::{Changes, diff};
use super::drain::{Heir, Heirs, OnTheirOwn, drain};
use super::error::StartError;
use super::exporter::RunningExporter;
use super::factory::Factory;
use super::parts::Parts;
use super::pipeline::RunningPipeline;
use super::plan::{ExporterKey, PipelinePlan, Plan, ReceiverPlan};
use super::receiver::{self, RunningReceiver, Wires, point_branches, record_branches, stage};
use super::task::{Ended, Spawner};
use crate::component::{AnyReceiver, Host, ReceiverError};

/// If a plan does not start, this is how long its started parts may take to stop again.
const FAILED_START: Duration = Duration::from_secs(5);
/// How long a receiver that has changed may take to hand over what it still has.
const CHANGED_RECEIVER: Duration = Duration::from_secs(5);

/// A running graph. It begins with the plan of nothing. If it is dropped while it runs, the items on their way are
/// lost.
pub struct Graph<F: Factory> {
    factory: F,
    pub(super) host: Host,
    plan: Plan<F::Receiver, F::Exporter>,
    pub(super) running: Parts,
    spawner: Spawner,
    pub(super) ends: mpsc::UnboundedReceiver<Ended>,
    /// The drain of what the last change has stopped. It returns the outlets that go on.
    pub(super) draining: Option<JoinHandle<OnTheirOwn>>,
}

impl<F: Factory> Graph<F> {
    /// A graph in which nothing runs.
    pub fn new(factory: F, host: Host) -> Self {
        let (spawner, ends) = Spawner::new(host.pulses.clone());
        Graph {
            factory,
            host,
            plan: Plan::default(),
            running: Parts::default(),
            spawner,
            ends,
            draining: None,
        }
    }

    /// As [`change`](Graph::change), and waits until everything that is not in `plan` is drained and stopped.
    ///
    /// # Errors
    /// As [`change`](Graph::change).
    pub async fn apply(
        &mut self,
        plan: Plan<F::Receiver, F::Exporter>,
        deadline: Instant,
    ) -> Result<(), StartError> {
        self.change(plan, deadline).await?;
        self.drained().await;
        Ok(())
    }

    /// Changes what runs so that it is what `plan` says. What is equal in both plans goes on unchanged.
    ///
    /// First everything new is started. Then the parts are connected anew. Then a task drains everything that is not in
    /// `plan`, in the order of the stream, and stops it, until `deadline`. A receiver that has changed is the exception:
    /// it is stopped before its successor starts, since both together would count everything twice.
    ///
    /// If what an earlier change has stopped is not drained yet, this waits for that first.
    ///
    /// # Errors
    /// The error says what did not start. The graph is then as it was before. A receiver that was stopped for the new
    /// plan is started again with its old configuration.
    pub async fn change(
        &mut self,
        plan: Plan<F::Receiver, F::Exporter>,
        deadline: Instant,
    ) -> Result<(), StartError> {
        self.drained().await;
        if let Some((id, problem)) = plan.first_problem() {
            return Err(StartError::Pipeline { id, problem });
        }
        let changes = diff(&self.plan, &plan);
        let mut started = Parts::default();
        let mut heirs = Heirs::new();
        if let Err(error) = self.start(&plan, &changes, &mut started, &mut heirs).await {
            drop(heirs); // they wait for nothing any more
            let late = drain(started, Instant::now() + FAILED_START, Heirs::new()).await;
            self.running.closed_outlets.extend(late);
            self.restart_stopped_receivers(&changes).await;
            return Err(error);
        }
        let stopped = self.switch(&plan, &changes, started);
        self.plan = plan;
        self.draining = Some(tokio::spawn(drain(stopped, deadline, heirs)));
        Ok(())
    }

    /// Whether what the last change has stopped is still being drained.
    pub fn is_draining(&self) -> bool {
        self.draining.is_some()
    }

    /// Waits until what the last change has stopped is drained. Cancel-safe.
    pub async fn drained(&mut self) {
        if let Some(draining) = &mut self.draining {
            let late = draining.await;
            self.note_drained(late);
        }
    }

    pub(super) fn note_drained(&mut self, late: Result<OnTheirOwn, JoinError>) {
        self.draining = None;
        match late {
            Ok(late) => self.running.closed_outlets.extend(late),
            Err(panic) => error!(%panic, "the drain of stopped parts panicked"),
        }
    }

    /// Stops everything, until `deadline`. What is not delivered by then is dropped and counted.
    pub async fn stop(&mut self, deadline: Instant) {
        // A drain that began before has its own, earlier deadline. It must not take the time of this one.
        let before = self.draining.take();
        // The plan of nothing starts nothing, so it can't fail.
        let _ = self.change(Plan::default(), deadline).await;
        self.drained().await;
        if let Some(before) = before {
            let late = before.await;
            self.note_drained(late);
        }
    }

    /// Starts what is new: exporters, pipelines, then receivers, one after the other.
    async fn start(
        &mut self,
        plan: &Plan<F::Receiver, F::Exporter>,
        changes: &Changes,
        started: &mut Parts,
        heirs: &mut Heirs,
    ) -> Result<(), StartError> {
        for key in &changes.exporters.start {
            let Some(config) = plan.exporters.get(key) else { continue };
            let exporter = self.factory.exporter(&key.id, key.signal, config, &self.host);
            let exporter = RunningExporter::new(exporter.map_err(StartError::Exporter)?);
            started.exporters.insert(key.clone(), exporter);
        }
        let mut made = self.make_receivers(plan, changes)?;
        let starting = || plan.pipelines.iter().filter(|(id, _)| changes.pipelines.start.contains(*id));
        let mut ready = Vec::new();
        for (id, processor) in starting().flat_map(|(_, pipeline)| &pipeline.processors) {
            let failed = |reason| StartError::Processor { id: id.clone(), reason };
            ready.push(processor.ready(&self.host).await.map_err(failed)?);
        }
        for (id, pipeline) in starting() {
            let predecessor = changes.pipelines.stop.contains(id).then(|| {
                let (sums, predecessor) = oneshot::channel();
                heirs.insert(id.clone(), Heir { sums, inherits: changes.inherit.contains(id) });
                predecessor
            });
            let mut running =
                RunningPipeline::start(id, pipeline, predecessor, &self.host, &mut self.spawner);
            for key in pipeline.exporter_keys() {
                let new = started.exporters.get_mut(&key);
                if let Some(exporter) = new.or_else(|| self.running.exporters.get_mut(&key)) {
                    running.add_outlet(&key.id, exporter, &self.host, &mut self.spawner);
                }
            }
            running.wire(self.can_wait(pipeline, &made));
            started.pipelines.insert(id.clone(), running);
        }
        for id in changes.receivers.start.difference(&changes.receivers.stop) {
            if let Some(receiver) = made.remove(id) {
                let running = self.start_receiver(id, receiver, plan, &started.pipelines).await?;
                started.receivers.insert(id.clone(), running);
            }
        }
        for (id, receiver) in made {
            let running = self.replace_receiver(&id, receiver, plan, &started.pipelines).await?;
            started.receivers.insert(id, running);
        }
        Ok(())
    }

    /// The receivers that are to be started.
    fn make_receivers(
        &self,
        plan: &Plan<F::Receiver, F::Exporter>,
        changes: &Changes,
    ) -> Result<BTreeMap<String, AnyReceiver>, StartError> {
        let planned = plan.receivers.iter().filter(|(id, _)| changes.receivers.start.contains(*id));
        planned.map(|(id, receiver)| Ok((id.clone(), self.make_receiver(id, receiver)?))).collect()
    }

    fn make_receiver(&self, id: &str, plan: &ReceiverPlan<F::Receiver>) -> Result<AnyReceiver, StartError> {
        let failed = |source| StartError::Receiver { id: id.to_owned(), source };
        let receiver = self.factory.receiver(id, &plan.config).map_err(failed)?;
        // The plan was checked for what the receiver was said to make.
        if receiver.produces() == plan.produces {
            return Ok(receiver);
        }
        let (made, planned): (&str, &str) = (receiver.produces().into(), plan.produces.into());
        let message = format!("it makes {made}, and its plan says {planned}; this is a bug in the factory");
        Err(failed(ReceiverError::Failed(message)))
    }

    /// Whether one of the pipeline's receivers can wait for it.
    fn can_wait(&self, pipeline: &PipelinePlan, made: &BTreeMap<String, AnyReceiver>) -> bool {
        pipeline.receivers.iter().any(|id| match made.get(id) {
            Some(receiver) => receiver.can_wait(),
            None => self.running.receivers.get(id).is_some_and(|running| running.receiver.can_wait()),
        })
    }

    /// Stops a receiver and starts its successor.
    async fn replace_receiver(
        &mut self,
        id: &str,
        successor: AnyReceiver,
        plan: &Plan<F::Receiver, F::Exporter>,
        started: &BTreeMap<String, RunningPipeline>,
    ) -> Result<RunningReceiver, StartError> {
        let mut old = Parts::default();
        old.receivers.extend(self.running.receivers.remove_entry(id));
        drain(old, Instant::now() + CHANGED_RECEIVER, Heirs::new()).await;
        self.start_receiver(id, successor, plan, started).await
    }

    /// After a failed start: starts the receivers that were stopped for it with their old configuration.
    async fn restart_stopped_receivers(&mut self, changes: &Changes) {
        let before = std::mem::take(&mut self.plan);
        for id in changes.receivers.stop.intersection(&changes.receivers.start) {
            let Some(receiver) = before.receivers.get(id) else { continue };
            if self.running.receivers.contains_key(id) {
                continue; // it was not stopped yet
            }
            match self.restart_receiver(id, receiver, &before).await {
                Ok(running) => {
                    self.running.receivers.insert(id.clone(), running);
                }
                Err(error) => {
                    error!(receiver = id, %error, "the receiver can't be started with its old configuration either");
                }
            }
        }
        self.plan = before;
    }

    /// Starts a receiver with its configuration in the plan `before`.
    async fn restart_receiver(
        &mut self,
        id: &str,
        receiver: &ReceiverPlan<F::Receiver>,
        before: &Plan<F::Receiver, F::Exporter>,
    ) -> Result<RunningReceiver, StartError> {
        let receiver = self.make_receiver(id, receiver)?;
        self.start_receiver(id, receiver, before, &BTreeMap::new()).await
    }

    /// Starts a receiver with branches to the pipelines that name it in `plan`. These pipelines were `started` for this
    /// plan, or run already and stay.
    async fn start_receiver(
        &mut self,
        id: &str,
        receiver: AnyReceiver,
        plan: &Plan<F::Receiver, F::Exporter>,
        started: &BTreeMap<String, RunningPipeline>,
    ) -> Result<RunningReceiver, StartError> {
        let failed = |source| StartError::Receiver { id: id.to_owned(), source };
        let targets = targets(id, plan, started, &self.running.pipelines);
        let (host, spawner) = (&self.host, &mut self.spawner);
        let (receiver, wires, task) = match receiver {
            AnyReceiver::Records(receiver) => {
                let (out, wires, task) =
                    stage(id, receiver.as_ref(), record_branches(&targets), host, spawner);
                let receiver = receiver::start(receiver, out, &self.host).await.map_err(failed)?;
                (AnyReceiver::Records(receiver), Wires::Records(wires), task)
            }
            AnyReceiver::Points(receiver) => {
                let (out, wires, task) =
                    stage(id, receiver.as_ref(), point_branches(&targets), host, spawner);
                let receiver = receiver::start(receiver, out, &self.host).await.map_err(failed)?;
                (AnyReceiver::Points(receiver), Wires::Points(wires), task)
            }
        };
        info!(receiver = id, "started");
        Ok(RunningReceiver { receiver, wires, task, has_ended: false })
    }

    /// Adds what was `started` to what runs, connects everything as `plan` says, and returns what has to be stopped.
    fn switch(&mut self, plan: &Plan<F::Receiver, F::Exporter>, changes: &Changes, started: Parts) -> Parts {
        let mut stopped = Parts::default();
        for id in &changes.receivers.stop {
            stopped.receivers.extend(self.running.receivers.remove_entry(id));
        }
        for id in &changes.pipelines.stop {
            stopped.pipelines.extend(self.running.pipelines.remove_entry(id));
        }
        for key in &changes.exporters.stop {
            stopped.exporters.extend(self.running.exporters.remove_entry(key));
        }
        let (closed, open) = std::mem::take(&mut self.running.closed_outlets)
            .into_iter()
            .partition(|(key, _)| changes.exporters.stop.contains(key));
        (stopped.closed_outlets, self.running.closed_outlets) = (closed, open);
        self.running.receivers.extend(started.receivers);
        let begun = started.pipelines.into_iter().map(|(id, mut pipeline)| {
            pipeline.begin();
            (id, pipeline)
        });
        self.running.pipelines.extend(begun);
        self.running.exporters.extend(started.exporters);

        let nothing = BTreeMap::new();
        for id in &changes.receivers.keep {
            if let Some(running) = self.running.receivers.get(id) {
                running.wires.replace(&targets(id, plan, &nothing, &self.running.pipelines));
            }
        }
        for id in &changes.rewire {
            let Some(pipeline) = plan.pipelines.get(id) else { continue };
            let can_wait = self.can_wait(pipeline, &BTreeMap::new());
            let Some(running) = self.running.pipelines.get_mut(id) else { continue };
            let is_new = |key: &ExporterKey| changes.exporters.start.contains(key);
            let gone = running.take_outlets(|key| is_new(key) || !pipeline.exporters.contains(&key.id));
            stopped.closed_outlets.extend(gone);
            for key in pipeline.exporter_keys() {
                if let Some(exporter) = self.running.exporters.get_mut(&key)
                    && !running.has_outlet(&key.id)
                {
                    running.add_outlet(&key.id, exporter, &self.host, &mut self.spawner);
                }
            }
            running.wire(can_wait);
        }
        stopped
    }
}

/// The pipelines that name a receiver in a plan, among those that were started and those that run.
fn targets<'p, R, E>(
    receiver: &str,
    plan: &Plan<R, E>,
    started: &'p BTreeMap<String, RunningPipeline>,
    running: &'p BTreeMap<String, RunningPipeline>,
) -> Vec<&'p RunningPipeline> {
    let named = plan.pipelines.iter().filter(|(_, plan)| plan.receivers.iter().any(|id| id == receiver));
    named.filter_map(|(id, _)| started.get(id).or_else(|| running.get(id))).collect()
}
