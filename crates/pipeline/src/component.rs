//! What a component is: the traits that receivers, processors and exporters implement.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::books::{Ledger, ReceiverCounts};
use crate::metric::MetricPoint;
use crate::record::Record;
use crate::status::Status;

/// A source of records. It runs on threads of its own. It never blocks on the pipeline, unless it
/// [can wait](Receiver::can_wait).
pub trait Receiver: Send {
    /// Starts it and returns when it is ready. Its records go to `out`. The receiver counts what it can't send because
    /// `out` is full.
    ///
    /// # Errors
    /// Says what is missing or what failed. Everything that was acquired until then is released.
    fn start(&mut self, out: mpsc::Sender<Record>) -> Result<(), ReceiverError>;

    /// Stops it, hands over what is still in its buffers, and closes `out`. Does nothing when it is not running.
    ///
    /// Blocks for at most one poll of the kernel.
    fn stop(&mut self);

    /// A probe of its numbers, which stays valid after a stop. It leaves `received` at 0, because the flow stage counts
    /// that.
    fn probe(&self) -> Box<dyn Fn() -> ReceiverCounts + Send + Sync>;

    /// Capacity of the channel that it wants, in records.
    fn channel_capacity(&self) -> usize;

    /// True if its source can wait until all pipelines have room. Otherwise a full logs pipeline drops records.
    fn can_wait(&self) -> bool {
        false
    }

    /// True if it has sent all that it ever will. A receiver that closes `out` by itself before that has failed.
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

/// Works on records in place. Records that it removes count as filtered.
pub trait FlowProcessor: Send {
    /// Processes one batch.
    fn process(&mut self, records: &mut Vec<Record>);
}

/// What an exporter takes over in one call.
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

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Ships batches. One instance serves one signal, and all pipelines of that signal that name it.
pub trait Exporter: Send + Sync {
    /// Takes over a batch whose items `ledger` has accepted. The exporter counts each of them there as delivered, rejected
    /// or dropped.
    ///
    /// Waits for room where it is configured to (`on_full: block`). Otherwise it returns when the batch is queued or sent.
    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()>;

    /// Its status, now and from now on. An exporter that does not follow its status stays at [`Status::Ok`]; the watch's
    /// sender is gone then.
    fn status(&self) -> watch::Receiver<Status> {
        watch::channel(Status::Ok).1
    }

    /// Tells the exporter that the shutdown has begun. Batches still come, but long waits must end, all of them before
    /// `deadline`.
    fn begin_shutdown(&self, _deadline: Instant) {}

    /// Delivers what is queued until `deadline`, and drops the rest (reason `shutdown`). No batch comes after this call.
    fn shutdown(&self, deadline: Instant) -> BoxFuture<'_, ()>;
}
