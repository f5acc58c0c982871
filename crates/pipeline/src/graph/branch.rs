//! A branch: the way from a receiver's stage into one pipeline.

use tracing::{info, warn};

use super::item::Item;
use crate::books::{DropReason, Ledger, Signal};
use crate::chunk::{Chunk, NoRoom, Sender, Unsent};
use crate::say_once::SayOnce;

/// The way into one pipeline.
pub(super) struct Branch<T> {
    pipeline: String,
    entrance: Sender<T>,
    /// The pipeline's ledger of records; `None` for metric points, which only the exporters' ledgers count.
    ledger: Option<Ledger>,
    /// Whether its pipeline always has room soon. A metrics pipeline has: it adds records to its sums even while it
    /// waits for exporters.
    keeps_up: bool,
    full: SayOnce,
}

impl<T: Item> Branch<T> {
    /// A branch for records, into the pipeline of `ledger`.
    pub(super) fn of_records(ledger: Ledger, entrance: Sender<T>) -> Self {
        let keeps_up = ledger.key().signal == Signal::Metrics;
        let pipeline = ledger.key().pipeline.clone();
        Branch { pipeline, entrance, ledger: Some(ledger), keeps_up, full: SayOnce::default() }
    }

    /// A branch for metric points, into a metrics pipeline.
    pub(super) fn of_points(pipeline: String, entrance: Sender<T>) -> Self {
        Branch { pipeline, entrance, ledger: None, keeps_up: true, full: SayOnce::default() }
    }

    /// Hands over a chunk. It waits for room if the receiver can wait. It also waits for a metrics pipeline: a record
    /// that finds no room in the receiver's channel comes back in a gap, but a record that is dropped here would be
    /// missing in the sums.
    pub(super) async fn hand_over(&self, chunk: Chunk<T>, can_wait: bool) {
        if let Some(ledger) = &self.ledger {
            ledger.accept(chunk.len() as u64);
        }
        if can_wait || self.keeps_up {
            self.wait_for_room(chunk).await;
        } else {
            self.offer(chunk);
        }
    }

    /// Hands over everything, as soon as there is room.
    async fn wait_for_room(&self, mut rest: Chunk<T>) {
        while !rest.is_empty() {
            let sent = match self.entrance.reserve(rest.len()).await {
                Some(room) => {
                    let part = rest.split_to(room.len());
                    self.entrance.send(room, part)
                }
                None => Err(std::mem::take(&mut rest)),
            };
            self.drop_unless(sent);
        }
    }

    /// Hands over what fits. The rest is dropped for this pipeline only.
    fn offer(&self, chunk: Chunk<T>) {
        if self.entrance.is_empty() && self.full.end().is_some() {
            info!(pipeline = self.pipeline, "the pipeline has caught up");
        }
        match self.entrance.offer(chunk) {
            Ok(()) => {}
            Err(Unsent { items, reason: NoRoom::Full }) => self.drop_for_room(items as u64),
            Err(Unsent { items, reason: NoRoom::Closed }) => {
                self.drop_items(items as u64, DropReason::Internal);
            }
        }
    }

    fn drop_for_room(&self, records: u64) {
        self.drop_items(records, DropReason::PipelineFull);
        if self.full.begin() {
            warn!(
                pipeline = self.pipeline,
                records,
                "the pipeline can't keep up, and records are dropped; this is logged again only after it has caught up"
            );
        }
    }

    /// Counts a chunk that found its pipeline ended. The task of a pipeline ends after its branches, unless it has
    /// panicked.
    fn drop_unless(&self, sent: Result<(), Chunk<T>>) {
        if let Err(chunk) = sent {
            self.drop_items(chunk.len() as u64, DropReason::Internal);
        }
    }

    fn drop_items(&self, items: u64, reason: DropReason) {
        if let Some(ledger) = self.ledger.as_ref().filter(|_| items > 0) {
            ledger.drop_items(items, reason);
        }
    }
}
