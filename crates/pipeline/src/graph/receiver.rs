//! A running receiver and its stage.

use std::sync::Arc;

use tokio::sync::watch;

use super::item::Item;
use super::pipeline::RunningPipeline;
use super::stage::{self, Branches, StageCounts};
use super::task::{Node, Spawner, Task};
use crate::chunk::{self, Sender};
use crate::component::{AnyReceiver, Host, Receiver, ReceiverError, Starter};
use crate::metric::MetricPoint;
use crate::record::Record;

/// A receiver and its stage.
pub(super) struct RunningReceiver {
    pub(super) receiver: AnyReceiver,
    /// Replaces the branches of the stage.
    pub(super) wires: Wires,
    /// The stage.
    pub(super) task: Task<()>,
    /// The receiver has finished, and everything from it was handed over.
    pub(super) has_ended: bool,
}

/// The graph's end of the wires between a stage and its pipelines.
pub(super) enum Wires {
    Records(watch::Sender<Branches<Record>>),
    Points(watch::Sender<Branches<MetricPoint>>),
}

impl Wires {
    /// Makes the stage feed these pipelines, from its next chunk on.
    pub(super) fn replace(&self, targets: &[&RunningPipeline]) {
        match self {
            Wires::Records(wires) => drop(wires.send_replace(record_branches(targets))),
            Wires::Points(wires) => drop(wires.send_replace(point_branches(targets))),
        }
    }
}

/// Branches for records.
pub(super) fn record_branches(targets: &[&RunningPipeline]) -> Branches<Record> {
    targets.iter().map(|pipeline| pipeline.record_branch()).collect()
}

/// Branches for metric points.
pub(super) fn point_branches(targets: &[&RunningPipeline]) -> Branches<MetricPoint> {
    targets.iter().filter_map(|pipeline| pipeline.point_branch()).collect()
}

/// Starts the stage of a receiver. The stage must run before the receiver starts, so that it can take the first item.
pub(super) fn stage<T: Item>(
    id: &str,
    receiver: &dyn Receiver<T>,
    branches: Branches<T>,
    host: &Host,
    spawner: &mut Spawner,
) -> (Sender<T>, watch::Sender<Branches<T>>, Task<()>) {
    let (out, items) = chunk::channel(receiver.channel_capacity().max(1));
    let counts = Arc::new(StageCounts::default());
    let (probe, completing) = (receiver.probe(), Arc::clone(&counts));
    host.books.add_receiver(id, move || completing.complete(&probe));
    if let Some(pulse) = receiver.pulse() {
        host.pulses.watch(format!("receiver {id}"), pulse);
    }
    let (wires, wired) = watch::channel(branches);
    let can_wait = receiver.can_wait();
    let task = spawner.spawn(Node::Receiver(id.to_owned()), async move {
        stage::run(items, wired, &counts, can_wait).await;
    });
    (out, wires, task)
}

/// Starts a receiver whose stage runs. This may take time, for example to load programs into the kernel, so it is done
/// on a thread where it delays nothing else.
pub(super) async fn start<T: Item>(
    mut receiver: Box<dyn Receiver<T>>,
    out: Sender<T>,
    host: &Host,
) -> Result<Box<dyn Receiver<T>>, ReceiverError> {
    let starter = if receiver.needs_privileges() { host.starter.clone() } else { Starter::default() };
    let started = starter.run(move || receiver.start(out).map(|()| receiver)).await;
    started.unwrap_or_else(|| Err(ReceiverError::Failed("it panicked when it started".to_owned())))
}
