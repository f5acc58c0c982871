//! The trait of exporters, which send telemetry to its destination, and the batches that they take.

use std::error::Error;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::books::Ledger;
use crate::chunk::Chunks;
use crate::metric::{MetricPoint, Temporality, taken_in};
use crate::record::Record;
use crate::status::Reported;

/// What an exporter takes at once. A clone shares the items.
#[derive(Clone, Debug)]
pub enum Batch {
    /// Records. Each of them is one log record.
    Logs(Chunks<Record>),
    /// Metric points.
    Metrics(Chunks<MetricPoint>),
}

impl Batch {
    /// Number of log records or metric points.
    pub fn len(&self) -> usize {
        match self {
            Batch::Logs(records) => records.len(),
            Batch::Metrics(points) => points.len(),
        }
    }

    /// True if it has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The part of the batch that an exporter takes. Metric points are read in `temporality`; if that is `None`, each
    /// point keeps its own. Of points that are read as delta, the exporter takes only those that have changed.
    pub(crate) fn taken_in(&self, temporality: Option<Temporality>) -> Batch {
        match self {
            Batch::Logs(records) => Batch::Logs(records.clone()),
            Batch::Metrics(points) => Batch::Metrics(taken_in(temporality, points)),
        }
    }
}

/// Sends batches. One instance serves one signal, for all pipelines of that signal that name it.
pub trait Exporter: Send + Sync {
    /// The temporality in which it takes metric points; `None` leaves it to the pipeline's `aggregate`.
    fn temporality(&self) -> Option<Temporality> {
        None
    }

    /// Takes over a batch whose items `ledger` has accepted. Each item ends in that ledger as delivered, rejected or
    /// dropped.
    ///
    /// If the exporter is configured to wait (`on_full: block`), this waits for room. It returns when the batch is
    /// queued or sent.
    fn export(&self, batch: Batch, ledger: Ledger) -> BoxFuture<'_, ()>;

    /// What it reports of itself now, and the later changes. The default is for an exporter that reports nothing: it stays
    /// at [`Status::Ok`](crate::status::Status::Ok), and the watch has no sender.
    fn status(&self) -> watch::Receiver<Reported> {
        watch::channel(Reported::default()).1
    }

    /// Tells the exporter that it will be shut down. Batches still come. The exporter must not wait long for them any
    /// more, and not at all after `deadline`.
    fn begin_shutdown(&self, _deadline: Instant) {}

    /// Delivers what is queued until `deadline`, and drops the rest (`shutdown`). No batch comes after this call.
    fn shutdown(&self, deadline: Instant) -> BoxFuture<'_, ()>;
}

/// Why an exporter did not start. The type of the error belongs to the crate of the exporter.
pub type ExporterError = Box<dyn Error + Send + Sync>;
