//! An outlet: the way from one pipeline to one exporter. Each has a bounded channel and a task of its own, so that a
//! stuck exporter does not delay the other exporters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use crate::books::{DropReason, Ledger};
use crate::chunk::{Bound, Room};
use crate::component::{Batch, Exporter};
use crate::metric::Temporality;
use crate::say_once::SayOnce;

/// The pipeline's end of the way to one exporter.
pub(super) struct Outlet {
    ledger: Ledger,
    /// The exporter's temporality; `None` leaves it to the pipeline.
    temporality: Option<Temporality>,
    /// How many items may wait before the next batch has to wait.
    bound: Bound,
    batches: mpsc::UnboundedSender<Waiting>,
    /// Whether the pipeline waits for room. It does if one of its receivers can wait.
    can_wait: AtomicBool,
    full: SayOnce,
}

/// A batch in the channel. Its room is free again when the exporter has taken the batch.
struct Waiting {
    batch: Batch,
    _room: Room,
}

/// The exporter's end of an outlet.
pub(super) struct Outflow {
    batches: mpsc::UnboundedReceiver<Waiting>,
    ledger: Ledger,
}

impl Outlet {
    /// Makes both ends of an outlet with room for `capacity` items. `ledger` accounts for them. Metric points get
    /// `temporality`; `None` leaves it to the pipeline.
    pub(super) fn new(
        ledger: Ledger,
        temporality: Option<Temporality>,
        capacity: usize,
    ) -> (Outlet, Outflow) {
        let (sender, batches) = mpsc::unbounded_channel();
        let outlet = Outlet {
            ledger: ledger.clone(),
            temporality,
            bound: Bound::new(capacity),
            batches: sender,
            can_wait: AtomicBool::new(false),
            full: SayOnce::default(),
        };
        (outlet, Outflow { batches, ledger })
    }

    /// Sets whether the pipeline waits for room from now on.
    pub(super) fn set_can_wait(&self, can_wait: bool) {
        self.can_wait.store(can_wait, Ordering::Relaxed);
    }

    /// Returns the part of a batch that the exporter takes, and counts it as accepted.
    fn accept(&self, batch: &Batch) -> Batch {
        let share = batch.taken_in(self.temporality);
        self.ledger.accept(share.len() as u64);
        share
    }

    /// Hands over what was accepted. If there is no room, it waits or drops the batch.
    async fn hand_over(&self, batch: Batch) {
        let items = batch.len();
        if items == 0 {
            return;
        }
        // A batch takes what room there is, and may be larger. Only this pipeline's task takes room.
        let room = if self.can_wait.load(Ordering::Relaxed) {
            self.bound.reserve(items).await // never closed
        } else {
            if self.bound.is_free() && self.full.end().is_some() {
                info!(exporter = self.exporter(), pipeline = self.pipeline(), "the exporter has caught up");
            }
            self.bound.try_reserve(items).ok()
        };
        match room {
            Some(room) => {
                if self.batches.send(Waiting { batch, _room: room }).is_err() {
                    // The task at the exporter's end goes on until this end is dropped, unless it has panicked.
                    self.ledger.drop_items(items as u64, DropReason::Internal);
                }
            }
            None => {
                self.ledger.drop_items(items as u64, DropReason::ExporterFull);
                if self.full.begin() {
                    warn!(
                        exporter = self.exporter(),
                        pipeline = self.pipeline(),
                        items,
                        "the exporter can't keep up, and batches are dropped; this is logged again only after it has \
                         caught up"
                    );
                }
            }
        }
    }

    fn pipeline(&self) -> &str {
        &self.ledger.key().pipeline
    }

    fn exporter(&self) -> &str {
        self.ledger.key().exporter.as_deref().unwrap_or_default()
    }
}

impl Outflow {
    /// Hands each batch to the exporter, until the pipeline's end is closed and everything is handed over.
    pub(super) async fn run(mut self, exporter: Arc<dyn Exporter>) {
        while let Some(Waiting { batch, _room }) = self.batches.recv().await {
            exporter.export(batch, self.ledger.clone()).await;
        }
    }
}

/// Counts the batches that are still in the channel when the task is aborted.
impl Drop for Outflow {
    fn drop(&mut self) {
        self.batches.close();
        while let Ok(Waiting { batch, .. }) = self.batches.try_recv() {
            self.ledger.drop_items(batch.len() as u64, DropReason::Shutdown);
        }
    }
}

/// The outlets of a pipeline. They may be replaced between two batches.
pub(super) struct Fanout(watch::Receiver<Vec<Arc<Outlet>>>);

impl Fanout {
    pub(super) fn new(outlets: watch::Receiver<Vec<Arc<Outlet>>>) -> Self {
        Fanout(outlets)
    }

    /// Counts each exporter's part of the batches as accepted at once. The returned future hands the parts over, in
    /// order.
    pub(super) fn send(&self, batches: Vec<Batch>) -> impl Future<Output = ()> + Send + use<> {
        let outlets = self.0.borrow().clone();
        let shares: Vec<Vec<Batch>> =
            batches.iter().map(|batch| outlets.iter().map(|outlet| outlet.accept(batch)).collect()).collect();
        async move {
            for shares in shares {
                join_all(outlets.iter().zip(shares).map(|(outlet, share)| outlet.hand_over(share))).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
