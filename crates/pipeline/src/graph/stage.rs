//! The stage of a receiver: it hands what the receiver sends to every pipeline that names the receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use super::branch::Branch;
use super::item::Item;
use crate::books::{ReceiverCounts, Unobserved};
use crate::chunk::Receiver;

/// The branches of a stage. They may be replaced between two chunks. A clone shares them.
pub(super) type Branches<T> = Arc<[Arc<Branch<T>>]>;

/// What a stage adds to its receiver's numbers.
#[derive(Debug, Default)]
pub(super) struct StageCounts {
    /// Number of events that the stage took out of the channel.
    received: AtomicU64,
    /// Number of segments of those events.
    received_segments: AtomicU64,
    /// Number of events that were still in the channel when the stage was aborted.
    unread_events: AtomicU64,
    /// Number of segments of those events.
    unread_segments: AtomicU64,
}

impl StageCounts {
    /// Completes the receiver's own numbers. The stage's numbers are read first. Otherwise an event that passes in
    /// between would be counted as received and not as seen.
    pub(super) fn complete(&self, probe: impl FnOnce() -> ReceiverCounts) -> ReceiverCounts {
        let received = self.received.load(Ordering::Acquire);
        let events = self.unread_events.load(Ordering::Acquire);
        let segments = Some(self.unread_segments.load(Ordering::Acquire));
        let mut counts = probe();
        counts.received = received;
        counts.received_segments = self.received_segments.load(Ordering::Relaxed);
        if events > 0 {
            let unread = Unobserved { place: "flow", reason: "unread", cpu: None, events, segments };
            counts.unobserved.push(unread);
        }
        counts
    }
}

/// The channel of a receiver. If the stage is aborted because the time for the shutdown is over, dropping this counts
/// what is still in the channel.
struct Intake<'c, T: Item> {
    items: Receiver<T>,
    counts: &'c StageCounts,
}

impl<T: Item> Drop for Intake<'_, T> {
    fn drop(&mut self) {
        self.items.close();
        while let Some(chunk) = self.items.try_recv() {
            for item in chunk.iter().filter(|item| item.events() > 0) {
                self.counts.unread_events.fetch_add(item.events(), Ordering::Release);
                self.counts.unread_segments.fetch_add(item.segments(), Ordering::Release);
            }
        }
    }
}

/// Runs until the receiver closes the channel and everything in it is handed over. If the receiver `can_wait`, the
/// stage waits for the slowest of its pipelines.
pub(super) async fn run<T: Item>(
    items: Receiver<T>,
    branches: watch::Receiver<Branches<T>>,
    counts: &StageCounts,
    can_wait: bool,
) {
    let mut intake = Intake { items, counts };
    while let Some(chunk) = intake.items.recv().await {
        counts.received_segments.fetch_add(chunk.iter().map(Item::segments).sum(), Ordering::Relaxed);
        counts.received.fetch_add(chunk.iter().map(Item::events).sum(), Ordering::Release);
        let now = Arc::clone(&branches.borrow());
        for branch in now.iter() {
            branch.hand_over(chunk.clone(), can_wait).await;
        }
    }
}

#[cfg(test)]
mod tests;
