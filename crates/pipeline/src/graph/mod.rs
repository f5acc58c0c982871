//! The graph: receivers, flow stages, pipelines and exporters, started and stopped in order.

mod build;
mod fanout;
mod flow_stage;
mod pipeline;
mod spec;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use crate::books::{Books, DropReason, Ledger};
use crate::component::{Exporter, Receiver, ReceiverError};
use crate::config::Problem;

pub use spec::{PipelineSpec, ProcessorConfig, ProcessorKind, ReceiverSpec, check_order};

/// Events or records that a stage takes at once.
const CHUNK: usize = 1024;
/// Records that wait at the entrance of a pipeline, at most.
const PIPELINE_CAPACITY: usize = 16_384;
// A stage may wait until there is room for all that it has taken.
const _: () = assert!(CHUNK <= PIPELINE_CAPACITY);
/// How long a graph that did not start may take to stop again.
const FAILED_START: Duration = Duration::from_secs(5);
/// How much later than the deadline an exporter may be with its accounts.
const GRACE: Duration = Duration::from_secs(1);

/// Why a graph did not start. Everything that was already running has been stopped again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A receiver did not start.
    #[error("receiver `{id}`: {source}")]
    Receiver {
        /// The receiver.
        id: String,
        /// Why.
        source: ReceiverError,
    },
    /// A pipeline is not one that can be built; [`PipelineSpec::check`] says so beforehand.
    #[error("pipeline `{id}`: {}", .problem.message)]
    Pipeline {
        /// The pipeline.
        id: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What ended by itself and should not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A receiver closed its channel without being asked to, and had not finished.
    #[error("receiver `{0}` ended by itself")]
    Receiver(String),
    /// A task panicked (a bug); what it held is counted as dropped.
    #[error("pipeline `{0}` ended by itself")]
    Pipeline(String),
}

/// The end of a task of the graph.
#[derive(Debug, Default)]
struct Ended {
    /// Of the receiver or the pipeline.
    id: String,
    panicked: bool,
}

/// A running graph. One that is dropped without [`Graph::shutdown`] loses what is on its way.
#[derive(Default)]
pub struct Graph {
    /// By id.
    receivers: BTreeMap<String, Box<dyn Receiver>>,
    /// One task a receiver.
    stages: JoinSet<Ended>,
    /// One task a pipeline.
    pipelines: JoinSet<Ended>,
    /// Each once.
    exporters: Vec<Arc<dyn Exporter>>,
    /// Of pipelines and exporters.
    ledgers: Vec<Ledger>,
}

impl Graph {
    /// Starts the pipelines, then the receivers that they name, one after the other.
    ///
    /// The exporters are already running; they are the graph's from here on, which shuts them down if it fails.
    ///
    /// # Errors
    /// Says what did not start; nothing is running then.
    pub async fn start(
        receivers: Vec<ReceiverSpec>,
        pipelines: Vec<PipelineSpec>,
        books: &Books,
    ) -> Result<Graph, StartError> {
        let mut graph = Graph::default();
        match graph.build(receivers, pipelines, books).await {
            Ok(()) => Ok(graph),
            Err(error) => {
                graph.shutdown(Instant::now() + FAILED_START).await;
                Err(error)
            }
        }
    }

    /// Waits until all receivers have finished, which live ones never do. Cancel-safe.
    ///
    /// # Errors
    /// Something ended by itself that should not have.
    pub async fn finished(&mut self) -> Result<(), Failure> {
        loop {
            tokio::select! {
                // A panic first: it counts also where everything else has finished. A pipeline whose receivers have
                // ended ends too, which is in order.
                biased;
                Some(pipeline) = self.pipelines.join_next() => {
                    let Ended { id, panicked } = pipeline.unwrap_or(Ended { panicked: true, ..Ended::default() });
                    if panicked {
                        return Err(Failure::Pipeline(id));
                    }
                }
                Some(stage) = self.stages.join_next() => {
                    let Ended { id, panicked } = stage.unwrap_or_default(); // no receiver has an empty id
                    let finished = self.receivers.get(&id).is_some_and(|receiver| receiver.has_finished());
                    if panicked || !finished {
                        return Err(Failure::Receiver(id));
                    }
                    info!(receiver = id, "finished");
                    if self.stages.is_empty() {
                        return Ok(());
                    }
                }
                else => std::future::pending().await,
            }
        }
    }

    /// Stops the receivers, drains everything in order, and stops the exporters, all until `deadline`.
    ///
    /// What is not delivered by then is dropped and counted.
    pub async fn shutdown(mut self, deadline: Instant) {
        let receivers = std::mem::take(&mut self.receivers).into_values();
        let stops = receivers.map(|mut receiver| spawn_blocking(move || receiver.stop()));
        for stopped in timeout_at(deadline, join_all(stops)).await.unwrap_or_default() {
            if let Err(panic) = stopped {
                error!(%panic, "a receiver panicked while it stopped");
            }
        }
        // A pipeline that waits for room in a queue, or for a retry, has most of the time for it. Then its exporter no
        // longer lets it wait, so that those who wait for that pipeline can finish.
        self.exporters.iter().for_each(|exporter| exporter.begin_shutdown(deadline));
        let patience = deadline - deadline.saturating_duration_since(Instant::now()) / 10;
        ended(&mut self.stages, patience).await;
        ended(&mut self.pipelines, patience).await;
        let exporters = join_all(self.exporters.iter().map(|exporter| exporter.shutdown(deadline)));
        let exporters = timeout_at(deadline + GRACE, exporters);
        let (exporters, stages, pipelines) = tokio::join!(
            exporters,
            ended(&mut self.stages, deadline + GRACE),
            ended(&mut self.pipelines, deadline + GRACE)
        );
        let drained = exporters.is_ok() && stages && pipelines;

        // Ends what is late, so that nothing changes the books after the last line.
        self.stages.shutdown().await;
        self.pipelines.shutdown().await;
        if !drained {
            warn!("the shutdown deadline passed before everything was drained");
        }
        let reason = if drained { DropReason::Internal } else { DropReason::Shutdown };
        for ledger in &self.ledgers {
            ledger.write_off(reason);
        }
    }
}

/// Waits until all tasks have ended; `false` where `deadline` comes first.
async fn ended(tasks: &mut JoinSet<Ended>, deadline: Instant) -> bool {
    timeout_at(deadline, async { while tasks.join_next().await.is_some() {} }).await.is_ok()
}

#[cfg(test)]
mod tests;
