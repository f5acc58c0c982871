//! Exporters: where telemetry goes.

use std::error::Error;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::books::Ledger;
use crate::metric::{MetricPoint, Temporality, taken_in};
use crate::record::Record;
use crate::status::Status;

/// What an exporter takes at once.
#[derive(Clone, Debug)]
pub enum Batch {
    /// Records: each of them is one log record.
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

    /// What an exporter takes of it. Metric points are read in `temporality`, or as each says itself where that is
    /// `None`. Of points that are read as delta, only those that have changed are taken.
    pub(crate) fn taken_in(&self, temporality: Option<Temporality>) -> Batch {
        match self {
            Batch::Logs(records) => Batch::Logs(Arc::clone(records)),
            Batch::Metrics(points) => Batch::Metrics(taken_in(temporality, points)),
        }
    }
}

/// Ships batches. One instance serves one signal, for all pipelines of that signal that name it.
pub trait Exporter: Send + Sync {
    /// The temporality in which it takes metric points; `None` leaves it to the pipeline's `aggregate`.
    fn temporality(&self) -> Option<Temporality> {
        None
    }

    /// Takes over a batch whose items `ledger` has accepted. Each item ends in that ledger as delivered, rejected or
    /// dropped.
    ///
    /// Waits where the exporter is configured to (`on_full: block`). Otherwise it returns when the batch is queued or
    /// sent.
    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()>;

    /// Its status, now and from now on. An exporter that does not follow its status stays at [`Status::Ok`]; the watch's
    /// sender is gone then.
    fn status(&self) -> watch::Receiver<Status> {
        watch::channel(Status::Ok).1
    }

    /// Tells the exporter that it will be shut down. Batches still come, but there is no time left for long waits, and
    /// none at all after `deadline`.
    fn begin_shutdown(&self, _deadline: Instant) {}

    /// Delivers what is queued until `deadline`, and drops the rest (`shutdown`). No batch comes after it.
    fn shutdown(&self, deadline: Instant) -> BoxFuture<'_, ()>;
}

/// Why an exporter did not start, in the words of its own crate.
pub type ExporterError = Box<dyn Error + Send + Sync>;
