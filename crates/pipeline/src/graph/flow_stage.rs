//! The flow stage of a receiver: counts its records and hands them to every pipeline that names the receiver.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tracing::{info, warn};

use super::CHUNK;
use crate::books::{DropReason, Ledger, ReceiverCounts, Signal, Unobserved};
use crate::record::Record;
use crate::say_once::SayOnce;

/// What the flow stage adds to its receiver's numbers.
#[derive(Debug)]
pub(super) struct FlowCounts {
    received: AtomicU64,
    unread: Mutex<Unread>,
}

/// What was still in the channel when the stage was ended. Gaps are no events.
#[derive(Clone, Copy, Debug, Default)]
struct Unread {
    events: u64,
    segments: u64,
}

impl FlowCounts {
    pub(super) fn new() -> Self {
        FlowCounts { received: AtomicU64::new(0), unread: Mutex::default() }
    }

    /// Completes the receiver's own numbers. It reads `received` before it asks the receiver, so that an event that passes
    /// meanwhile is never received before it is seen.
    pub(super) fn complete(&self, probe: impl FnOnce() -> ReceiverCounts) -> ReceiverCounts {
        let received = self.received.load(Ordering::Acquire);
        let Unread { events, segments } = *self.unread();
        let mut counts = probe();
        counts.received = received;
        if events > 0 {
            let segments = Some(segments);
            counts.unobserved.push(Unobserved {
                place: "flow",
                reason: "unread",
                cpu: None,
                events,
                segments,
            });
        }
        counts
    }

    fn add(&self, received: u64) {
        self.received.fetch_add(received, Ordering::Release);
    }

    fn unread(&self) -> MutexGuard<'_, Unread> {
        // Each change is two additions that can't panic, so the numbers are whole.
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The channel of a receiver. The stage is ended early when the time for the shutdown is over; what is still in the
/// channel then is counted as unread.
struct Intake<'c> {
    records: mpsc::Receiver<Record>,
    counts: &'c FlowCounts,
}

impl Drop for Intake<'_> {
    fn drop(&mut self) {
        self.records.close();
        while let Ok(record) = self.records.try_recv() {
            if record.identity.is_some() {
                let mut unread = self.counts.unread();
                unread.events += 1;
                unread.segments += record.amounts.segments;
            }
        }
    }
}

/// The way into one pipeline.
pub(super) struct Branch {
    pub(super) ledger: Ledger,
    pub(super) records: mpsc::Sender<Record>,
    full: SayOnce,
}

impl Branch {
    pub(super) fn new(ledger: Ledger, records: mpsc::Sender<Record>) -> Self {
        Branch { ledger, records, full: SayOnce::default() }
    }

    /// True if the pipeline never makes anybody wait for long: sums go on growing while exporters wait.
    fn keeps_up(&self) -> bool {
        self.ledger.key().signal == Signal::Metrics
    }

    /// Waits for room and hands over everything, at most a chunk.
    async fn deliver(&self, records: &[Record]) {
        self.ledger.accept(records.len() as u64);
        match self.records.reserve_many(records.len()).await {
            Ok(room) => room.zip(records).for_each(|(place, record)| place.send(record.clone())),
            Err(_) => self.drop_closed(records.len() as u64),
        }
    }

    /// Hands over what fits. This pipeline loses the rest; other pipelines are not affected.
    fn offer(&self, records: &[Record]) {
        if self.records.capacity() == self.records.max_capacity() && self.full.end() {
            info!(pipeline = self.ledger.key().pipeline, "the pipeline has caught up");
        }
        self.ledger.accept(records.len() as u64);
        let (mut full, mut closed) = (0, 0);
        for record in records {
            match self.records.try_send(record.clone()) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => full += 1,
                Err(TrySendError::Closed(_)) => closed += 1,
            }
        }
        if full > 0 {
            self.ledger.drop_items(full, DropReason::PipelineFull);
            if self.full.begin() {
                let pipeline = &self.ledger.key().pipeline;
                warn!(
                    pipeline,
                    records = full,
                    "the pipeline can't keep up and drops records; this is logged again only after it has caught up"
                );
            }
        }
        if closed > 0 {
            self.drop_closed(closed);
        }
    }

    /// A pipeline outlives its flow stages, unless its task panicked.
    fn drop_closed(&self, records: u64) {
        self.ledger.drop_items(records, DropReason::Internal);
    }
}

/// Runs until the receiver closes the channel and everything in it is handed over.
///
/// The stage waits for room in a metrics pipeline, because what it dropped here would be missing in the sums; what the
/// receiver's channel has no room for meanwhile can come back as a gap. It waits for room in a logs pipeline only where the
/// receiver `can_wait`: then the slowest pipeline of the receiver slows down all of them.
pub(super) async fn run(
    records: mpsc::Receiver<Record>,
    counts: &FlowCounts,
    branches: &[Branch],
    can_wait: bool,
) {
    let mut intake = Intake { records, counts };
    let mut records = Vec::new();
    while intake.records.recv_many(&mut records, CHUNK).await > 0 {
        counts.add(records.iter().filter(|record| record.identity.is_some()).count() as u64);
        for branch in branches {
            if can_wait || branch.keeps_up() {
                branch.deliver(&records).await;
            } else {
                branch.offer(&records);
            }
        }
        records.clear();
    }
}

#[cfg(test)]
mod tests;
