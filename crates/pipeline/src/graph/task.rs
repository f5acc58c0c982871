//! The tasks of a graph: each tells when it ends, and a panic in one is contained.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::error;

/// What a task works for.
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

/// A task has ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Which task of its node: a node that was replaced has had another one.
    pub(super) number: u64,
    pub(super) node: Node,
    pub(super) panicked: bool,
}

/// Spawns tasks and numbers them.
pub(super) struct Spawner {
    ends: mpsc::UnboundedSender<Ended>,
    next: u64,
}

impl Spawner {
    /// The other end receives the end of each task.
    pub(super) fn new() -> (Spawner, mpsc::UnboundedReceiver<Ended>) {
        let (ends, ended) = mpsc::unbounded_channel();
        (Spawner { ends, next: 0 }, ended)
    }

    pub(super) fn spawn<O: Send + 'static>(
        &mut self,
        node: Node,
        work: impl Future<Output = O> + Send + 'static,
    ) -> Task<O> {
        let number = self.next;
        self.next += 1;
        let ends = self.ends.clone();
        let handle = tokio::spawn(async move {
            let output = AssertUnwindSafe(work).catch_unwind().await.ok();
            if output.is_none() {
                error!("{node} panicked");
            }
            // Nobody listens any more once the graph is gone.
            let _ = ends.send(Ended { number, node, panicked: output.is_none() });
            output
        });
        Task { number, handle: Some(handle) }
    }
}

/// A task of the graph. One that is dropped goes on.
pub(super) struct Task<O> {
    pub(super) number: u64,
    /// `None` once its output was taken.
    handle: Option<JoinHandle<Option<O>>>,
}

impl<O> Task<O> {
    /// Waits for the end, until `deadline` at the latest. Gives the output where there is one.
    pub(super) async fn ended(&mut self, deadline: Instant) -> Option<O> {
        let handle = self.handle.as_mut()?;
        let joined = timeout_at(deadline, handle).await.ok()?;
        self.handle = None;
        joined.ok().flatten()
    }

    /// Has it ended?
    pub(super) fn has_ended(&self) -> bool {
        self.handle.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends the task wherever it is, and waits until it has ended.
    pub(super) async fn abort(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.abort();
            let _ = handle.await; // cancelled, or ended just before
        }
    }
}
