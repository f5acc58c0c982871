//! A branch: the way from a receiver's stage into one pipeline.

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tracing::{info, warn};

use super::item::Item;
use crate::books::{DropReason, Ledger, Signal};
use crate::say_once::SayOnce;

/// The way into one pipeline.
pub(super) struct Branch<T> {
    pipeline: String,
    entrance: mpsc::Sender<T>,
    /// The pipeline's ledger of records; `None` for metric points, which only the exporters' ledgers count.
    ledger: Option<Ledger>,
    /// Whether its pipeline always has room soon. A metrics pipeline has: it adds records to its sums even while it
    /// waits for exporters.
    keeps_up: bool,
    full: SayOnce,
}

impl<T: Item> Branch<T> {
    /// A branch for records, into the pipeline of `ledger`.
    pub(super) fn of_records(ledger: Ledger, entrance: mpsc::Sender<T>) -> Self {
        let keeps_up = ledger.key().signal == Signal::Metrics;
        let pipeline = ledger.key().pipeline.clone();
        Branch { pipeline, entrance, ledger: Some(ledger), keeps_up, full: SayOnce::default() }
    }

    /// A branch for metric points, into a metrics pipeline.
    pub(super) fn of_points(pipeline: String, entrance: mpsc::Sender<T>) -> Self {
        Branch { pipeline, entrance, ledger: None, keeps_up: true, full: SayOnce::default() }
    }

    /// Hands over a chunk. It waits for room if the receiver can wait. It also waits for a metrics pipeline: a record
    /// that finds no room in the receiver's channel comes back in a gap, but a record that is dropped here would be
    /// missing in the sums.
    pub(super) async fn hand_over(&self, chunk: &[T], can_wait: bool) {
        if let Some(ledger) = &self.ledger {
            ledger.accept(chunk.len() as u64);
        }
        if can_wait || self.keeps_up {
            match self.entrance.reserve_many(chunk.len()).await {
                Ok(room) => room.zip(chunk).for_each(|(place, item)| place.send(item.clone())),
                Err(_closed) => self.drop_items(chunk.len() as u64, DropReason::Internal),
            }
        } else {
            self.offer(chunk);
        }
    }

    /// Hands over what fits. The rest is dropped for this pipeline only.
    fn offer(&self, chunk: &[T]) {
        let is_empty = self.entrance.capacity() == self.entrance.max_capacity();
        if is_empty && self.full.end() {
            info!(pipeline = self.pipeline, "the pipeline has caught up");
        }
        let (mut full, mut closed) = (0, 0);
        for item in chunk {
            match self.entrance.try_send(item.clone()) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => full += 1,
                Err(TrySendError::Closed(_)) => closed += 1,
            }
        }
        self.drop_items(full, DropReason::PipelineFull);
        // The task of a pipeline ends after its branches, unless it has panicked.
        self.drop_items(closed, DropReason::Internal);
        if full > 0 && self.full.begin() {
            warn!(
                pipeline = self.pipeline,
                records = full,
                "the pipeline can't keep up, and records are dropped; this is logged again only after it has caught up"
            );
        }
    }

    fn drop_items(&self, items: u64, reason: DropReason) {
        if let Some(ledger) = self.ledger.as_ref().filter(|_| items > 0) {
            ledger.drop_items(items, reason);
        }
    }
}
