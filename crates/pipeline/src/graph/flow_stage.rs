//! The flow stage of a receiver: raw events and gaps -> records -> every pipeline that names the receiver.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tracing::{info, warn};

use super::CHUNK;
use crate::books::{DropReason, Ledger, ReceiverCounts, Signal, Unobserved};
use crate::flow::{ConvertError, Gap, Record, flow_record};
use crate::raw::{Raw, RawEvent};

/// What the flow stage adds to its receiver's numbers.
#[derive(Debug)]
pub(super) struct FlowCounts {
    received: AtomicU64,
    /// Events and segments, by reason.
    unreadable: Mutex<BTreeMap<&'static str, (u64, u64)>>,
}

impl FlowCounts {
    pub(super) fn new() -> Self {
        let none = ConvertError::REASONS.map(|reason| (reason, (0, 0))).into();
        FlowCounts { received: AtomicU64::new(0), unreadable: Mutex::new(none) }
    }

    /// The receiver's own numbers, completed.
    pub(super) fn complete(&self, mut counts: ReceiverCounts) -> ReceiverCounts {
        counts.received = self.received.load(Ordering::Relaxed);
        let unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let unobserved = unreadable.iter().map(|(&reason, &(events, segments))| Unobserved {
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
        self.received.fetch_add(received, Ordering::Relaxed);
    }

    fn add_unreadable(&self, event: &RawEvent, error: ConvertError) {
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let (events, segments) = unreadable.entry(error.reason()).or_default();
        *events += 1;
        *segments += u64::from(event.segments);
    }
}

/// The way into one pipeline.
pub(super) struct Branch {
    pub(super) ledger: Ledger,
    pub(super) records: mpsc::Sender<Record>,
    full: AtomicBool,
}

impl Branch {
    pub(super) fn new(ledger: Ledger, records: mpsc::Sender<Record>) -> Self {
        Branch { ledger, records, full: AtomicBool::new(false) }
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
        if self.records.capacity() == self.records.max_capacity() && self.full.swap(false, Ordering::Relaxed)
        {
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
            if !self.full.swap(true, Ordering::Relaxed) {
                let pipeline = &self.ledger.key().pipeline;
                warn!(
                    pipeline,
                    records = full,
                    "the pipeline can't keep up and drops; said again only after it caught up"
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
pub(super) async fn run(
    mut raws: mpsc::Receiver<Raw>,
    counts: &FlowCounts,
    branches: &[Branch],
    can_wait: bool,
) {
    let mut chunk = Vec::new();
    let mut records = Vec::new();
    while raws.recv_many(&mut chunk, CHUNK).await > 0 {
        let mut received = 0;
        for raw in chunk.drain(..) {
            match raw {
                Raw::Event(event) => match flow_record(&event) {
                    Ok(flow) => {
                        received += 1;
                        records.push(Record::Flow(flow));
                    }
                    Err(error) => counts.add_unreadable(&event, error),
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
