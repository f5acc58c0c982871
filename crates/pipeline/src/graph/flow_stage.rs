//! The flow stage of a receiver: raw events and gaps -> records -> every pipeline that names the receiver.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tracing::{info, warn};

use super::CHUNK;
use crate::books::{DropReason, Ledger, ReceiverCounts, Signal, Unobserved};
use crate::flow::{ConvertError, Gap, Record, flow_record};
use crate::raw::{Raw, RawEvent};
use crate::say_once::SayOnce;

/// What the flow stage adds to its receiver's numbers.
#[derive(Debug)]
pub(super) struct FlowCounts {
    received: AtomicU64,
    /// Events and segments, by reason.
    lost: Mutex<BTreeMap<&'static str, (u64, u64)>>,
}

impl FlowCounts {
    pub(super) fn new() -> Self {
        let none = ConvertError::REASONS.map(|reason| (reason, (0, 0))).into();
        FlowCounts { received: AtomicU64::new(0), lost: Mutex::new(none) }
    }

    /// The receiver's own numbers, completed. These here are read first: what passes meanwhile must not be received before
    /// it is seen.
    pub(super) fn complete(&self, probe: impl FnOnce() -> ReceiverCounts) -> ReceiverCounts {
        let received = self.received.load(Ordering::Acquire);
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut counts = probe();
        counts.received = received;
        let unobserved = lost.into_iter().map(|(reason, (events, segments))| Unobserved {
            place: "flow",
            reason,
            cpu: None,
            events,
            segments: Some(segments),
        });
        counts.unobserved.extend(unobserved);
        counts
    }

    fn add(&self, received: u64) {
        self.received.fetch_add(received, Ordering::Release);
    }

    fn lose(&self, event: &RawEvent, reason: &'static str) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let (events, segments) = lost.entry(reason).or_default();
        *events += 1;
        *segments += u64::from(event.segments);
    }
}

/// The channel of a receiver. What is still in it when its stage is ended, because the time for the shutdown is over, is
/// counted.
struct Intake<'c> {
    raws: mpsc::Receiver<Raw>,
    counts: &'c FlowCounts,
}

impl Drop for Intake<'_> {
    fn drop(&mut self) {
        self.raws.close();
        while let Ok(raw) = self.raws.try_recv() {
            if let Raw::Event(event) = raw {
                self.counts.lose(&event, "unread");
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

    /// Does its pipeline make nobody wait for long? Sums go on growing while exporters wait.
    fn keeps_up(&self) -> bool {
        self.ledger.key().signal == Signal::Metrics
    }

    /// Hands over everything, a chunk at most, and waits for room.
    async fn deliver(&self, records: &[Record]) {
        self.ledger.accept(records.len() as u64);
        match self.records.reserve_many(records.len()).await {
            Ok(room) => room.zip(records).for_each(|(place, record)| place.send(record.clone())),
            Err(_) => self.drop_closed(records.len() as u64),
        }
    }

    /// Hands over what fits; the rest is this pipeline's loss and nobody else's.
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

/// Runs until the receiver closes the channel and everything in it is handed over. Where the receiver `can_wait`, so
/// does the stage, and with it all of the receiver's pipelines for the slowest. A pipeline of metrics it waits for in any
/// case: what the receiver's channel has no room for can come back as a gap, what is dropped here would be missing in the
/// sums.
pub(super) async fn run(raws: mpsc::Receiver<Raw>, counts: &FlowCounts, branches: &[Branch], can_wait: bool) {
    let mut intake = Intake { raws, counts };
    let mut chunk = Vec::new();
    let mut records = Vec::new();
    while intake.raws.recv_many(&mut chunk, CHUNK).await > 0 {
        let mut received = 0;
        for raw in chunk.drain(..) {
            match raw {
                Raw::Event(event) => match flow_record(&event) {
                    Ok(flow) => {
                        received += 1;
                        records.push(Record::Flow(flow));
                    }
                    Err(error) => counts.lose(&event, error.reason()),
                },
                Raw::Gap(gap) => records.push(Gap::from(gap).into()),
            }
        }
        counts.add(received);
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
