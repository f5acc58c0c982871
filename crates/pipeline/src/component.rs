//! What a component is: the traits that receivers, processors and exporters implement.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::books::{Ledger, ReceiverCounts};
use crate::flow::Record;
use crate::metric::MetricPoint;
use crate::raw::Raw;
use crate::status::Status;

/// A source of raw events and of the gaps between them. It runs on threads of its own and never blocks on the pipeline, unless it [can
/// wait](Receiver::can_wait).
pub trait Receiver: Send {
    /// Starts it and returns when it is ready; what it sees goes to `out`, whose overflow the receiver counts.
    ///
    /// # Errors
    /// Says what is missing or what failed. Everything acquired on the way is released.
    fn start(&mut self, out: mpsc::Sender<Raw>) -> Result<(), ReceiverError>;

    /// Stops it, hands over what is still in its buffers, and closes `out`. Does nothing when it is not running.
    ///
    /// Blocks for at most one poll of the kernel.
    fn stop(&mut self);

    /// A probe of its numbers, which stays valid after a stop. `received` is left at 0: the flow stage knows it.
    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync>;

    /// Capacity of the channel that it wants, in items.
    fn channel_capacity(&self) -> usize;

    /// Can its source wait until the pipelines have room? Otherwise what logs have no room for is dropped.
    fn can_wait(&self) -> bool {
        false
    }

    /// Has it handed over all that it ever will? One that closes `out` by itself and has not has failed.
    fn has_finished(&self) -> bool {
        false
    }
}

/// Why a receiver did not start.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    /// This user or this kernel does not offer what it needs.
    #[error("{0}")]
    Unsupported(String),
    /// Its configuration names something that is missing or unfit.
    #[error("{0}")]
    Configuration(String),
    /// It should have worked and did not.
    #[error("{0}")]
    Failed(String),
}

/// Works on records, in place: what it removes counts as filtered.
pub trait FlowProcessor: Send {
    /// Processes one batch.
    fn process(&mut self, records: &mut Vec<Record>);
}

/// What an exporter takes at once.
#[derive(Clone, Debug)]
pub enum Batch {
    /// Records, each of them one log record.
    Logs(Arc<[Record]>),
    /// Metric points.
    Metrics(Arc<[MetricPoint]>),
}

impl Batch {
    /// Number of log records or metric points.
    pub fn len(&self) -> usize {
        match self {
            Batch::Logs(records) => records.len(),
            Batch::Metrics(points) => points.len(),
        }
    }

    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Ships batches. One instance serves one signal, for all pipelines of that signal that name it.
pub trait Exporter: Send + Sync {
    /// Takes over a batch whose items `ledger` has accepted: each of them ends there as delivered, rejected or dropped.
    ///
    /// Waits where the exporter is configured to (`on_full: block`); otherwise returns when the batch is queued or sent.
    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()>;

    /// Its status, now and from now on. An exporter that does not follow its status stays at [`Status::Ok`]; the watch's
    /// sender is gone then.
    fn status(&self) -> watch::Receiver<Status> {
        watch::channel(Status::Ok).1
    }

    /// Shutdown has begun, while batches still come: there is no time left for long waits, and none after `deadline`.
    fn begin_shutdown(&self, _deadline: Instant) {}

    /// Delivers what is queued until `deadline`, and drops the rest (`shutdown`). No batch comes after it.
    fn shutdown(&self, deadline: Instant) -> BoxFuture<'_, ()>;
}
