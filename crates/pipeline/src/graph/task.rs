//! The tasks of a graph. Each reports its end, and a panic ends only the task in which it happens.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::error;

use crate::pulses::{Pulses, watched};

/// The part of a graph that a task belongs to.
#[derive(Clone, Debug, PartialEq, Eq, strum::Display)]
pub(super) enum Node {
    /// A receiver's stage, by the receiver's id.
    #[strum(to_string = "the stage of receiver {0}")]
    Receiver(String),
    /// A pipeline, by id.
    #[strum(to_string = "pipeline {0}")]
    Pipeline(String),
    /// The outlet of a pipeline to an exporter.
    #[strum(to_string = "the way from pipeline {pipeline} to exporter {exporter}")]
    Outlet { pipeline: String, exporter: String },
}

/// The end of a task.
#[derive(Debug)]
pub(super) struct Ended {
    /// Number of the task. If its node was replaced meanwhile, the new task has another number.
    pub(super) number: u64,
    pub(super) node: Node,
    pub(super) panicked: bool,
}

/// Spawns tasks and numbers them.
pub(super) struct Spawner {
    ends: mpsc::UnboundedSender<Ended>,
    next: u64,
    /// Watches the tasks.
    pulses: Pulses,
}

impl Spawner {
    /// The receiver gets the end of each task.
    pub(super) fn new(pulses: Pulses) -> (Spawner, mpsc::UnboundedReceiver<Ended>) {
        let (ends, ended) = mpsc::unbounded_channel();
        (Spawner { ends, next: 0, pulses }, ended)
    }

    pub(super) fn spawn<O: Send + 'static>(
        &mut self,
        node: Node,
        work: impl Future<Output = O> + Send + 'static,
    ) -> Task<O> {
        let number = self.next;
        self.next += 1;
        let (ends, pulses) = (self.ends.clone(), self.pulses.clone());
        let handle = tokio::spawn(async move {
            let work = watched(&pulses, node.to_string(), work);
            let output = AssertUnwindSafe(work).catch_unwind().await.ok();
            if output.is_none() {
                error!("{node} panicked");
            }
            // The graph may be gone, so that nobody listens any more.
            let _ = ends.send(Ended { number, node, panicked: output.is_none() });
            output
        });
        Task { number, handle: Some(handle) }
    }
}

/// A handle to a task of the graph. If it is dropped, the task goes on.
pub(super) struct Task<O> {
    pub(super) number: u64,
    /// `None` after the output was taken, or after the task was aborted.
    handle: Option<JoinHandle<Option<O>>>,
}

impl<O> Task<O> {
    /// Waits until the task has ended, or until `deadline`. Returns the output if the task has ended without a panic.
    pub(super) async fn ended(&mut self, deadline: Instant) -> Option<O> {
        let handle = self.handle.as_mut()?;
        let joined = timeout_at(deadline, handle).await.ok()?;
        self.handle = None;
        joined.ok().flatten()
    }

    /// Whether the task has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.handle.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Aborts the task, and waits until it has ended.
    pub(super) async fn abort(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.abort();
            let _ = handle.await; // cancelled, or ended just before
        }
    }
}
