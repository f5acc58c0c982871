//! A ledger: what became of the items of a pipeline, or of one of its exporters.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strum::IntoStaticStr;

use super::signal::Signal;

/// Why something was dropped. A request that will be sent again is not dropped.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, strum::Display, strum::EnumIter,
)]
#[strum(serialize_all = "snake_case")]
pub enum DropReason {
    /// The pipeline could not keep up, and its entrance was full.
    PipelineFull,
    /// The exporter could not keep up, and its outlet was full.
    ExporterFull,
    /// The sending queue was full.
    QueueFull,
    /// The backend refused it with an error that must not be retried.
    PermanentError,
    /// It was retried until `max_elapsed_time`, or not at all if retries are disabled.
    RetriesExhausted,
    /// It was stored for longer than `retention`.
    Expired,
    /// The disk did not take it, or what it had stored is damaged.
    Storage,
    /// One item alone is larger than a request may be.
    TooLarge,
    /// It was not delivered when the deadline of the shutdown passed.
    Shutdown,
    /// A task of the pipeline ended without handing on what it held (a bug).
    Internal,
}

/// The key of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LedgerKey {
    /// Pipeline id.
    pub pipeline: String,
    /// Its signal.
    pub signal: Signal,
    /// Exporter id; `None` for the ledger of the pipeline itself.
    pub exporter: Option<String>,
}

/// Numbers of one ledger, in items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken over.
    pub accepted: u64,
    /// Handed on to the exporters (logs pipelines only).
    pub passed: u64,
    /// Left out by a processor, as configured.
    pub filtered: u64,
    /// Added to sums.
    pub aggregated: u64,
    /// Taken by the backend.
    pub delivered: u64,
    /// Refused by the backend in a partial success.
    pub rejected: u64,
    /// Dropped, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Waiting in the sending queue.
    pub queued: u64,
    /// Found in storage at the start: an earlier exporter had accepted them.
    pub restored: u64,
    /// Left in storage for the next start.
    pub stored: u64,
}

impl Counts {
    /// Dropped for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Accepted or restored, and not yet accounted for otherwise. A negative number would be a bug in the books.
    pub fn in_flight(&self) -> i128 {
        let settled =
            self.passed + self.filtered + self.aggregated + self.delivered + self.rejected + self.stored;
        i128::from(self.accepted + self.restored) - i128::from(settled + self.dropped_total() + self.queued)
    }
}

/// Adds the numbers of another ledger of the same key.
impl AddAssign<&Counts> for Counts {
    fn add_assign(&mut self, other: &Counts) {
        self.accepted += other.accepted;
        self.passed += other.passed;
        self.filtered += other.filtered;
        self.aggregated += other.aggregated;
        self.delivered += other.delivered;
        self.rejected += other.rejected;
        for (reason, items) in &other.dropped {
            *self.dropped.entry(*reason).or_default() += items;
        }
        self.queued += other.queued;
        self.restored += other.restored;
        self.stored += other.stored;
    }
}

/// A handle to one ledger; clones share it.
#[derive(Clone, Debug)]
pub struct Ledger {
    key: Arc<LedgerKey>,
    counts: Arc<Mutex<Counts>>,
}

impl Ledger {
    /// A new ledger that is not in any books. The books use it, and tests.
    pub fn detached(key: LedgerKey) -> Self {
        Ledger { key: Arc::new(key), counts: Arc::default() }
    }

    /// The key of this ledger.
    pub fn key(&self) -> &LedgerKey {
        &self.key
    }

    /// Counts items that were taken over.
    pub fn accept(&self, items: u64) {
        self.lock().accepted += items;
    }

    /// Counts items that were handed on to the exporters.
    pub fn pass(&self, items: u64) {
        self.lock().passed += items;
    }

    /// Counts items that a processor left out, as configured.
    pub fn filter(&self, items: u64) {
        self.lock().filtered += items;
    }

    /// Counts items that were added to sums.
    pub fn aggregate(&self, items: u64) {
        self.lock().aggregated += items;
    }

    /// Counts items that were sent to the backend. It refused `rejected` of them in a partial success, and took the
    /// others.
    pub fn deliver(&self, items: u64, rejected: u64) {
        let rejected = rejected.min(items);
        let mut counts = self.lock();
        counts.delivered += items - rejected;
        counts.rejected += rejected;
    }

    /// Counts items that were in flight and are dropped.
    pub fn drop_items(&self, items: u64, reason: DropReason) {
        *self.lock().dropped.entry(reason).or_default() += items;
    }

    /// Counts items that enter the sending queue.
    pub fn enqueue(&self, items: u64) {
        self.lock().queued += items;
    }

    /// Counts items that stop waiting in the sending queue and are in flight again.
    pub fn dequeue(&self, items: u64) {
        self.lock().queued -= items;
    }

    /// Counts items that waited in the sending queue and are dropped.
    pub(crate) fn drop_queued(&self, items: u64, reason: DropReason) {
        let mut counts = self.lock();
        counts.queued -= items;
        *counts.dropped.entry(reason).or_default() += items;
    }

    /// Counts items that were found in storage, and that wait in the sending queue now.
    pub(crate) fn restore(&self, items: u64) {
        let mut counts = self.lock();
        counts.restored += items;
        counts.queued += items;
    }

    /// Counts everything that waits in the sending queue as left in storage.
    pub(crate) fn leave_stored(&self) {
        let mut counts = self.lock();
        counts.stored += std::mem::take(&mut counts.queued);
    }

    /// Counts all items in flight as dropped. Call it only when no task works on them any more.
    pub(crate) fn write_off(&self, reason: DropReason) {
        let mut counts = self.lock();
        if let Ok(lost @ 1..) = u64::try_from(counts.in_flight()) {
            *counts.dropped.entry(reason).or_default() += lost;
        }
    }

    /// True where there is no other handle: nobody works on its items any more.
    pub(super) fn is_closed(&self) -> bool {
        Arc::strong_count(&self.counts) == 1
    }

    /// Adds the numbers of another ledger of the same key.
    pub(super) fn add(&self, other: &Ledger) {
        let counts = other.counts();
        *self.lock() += &counts;
    }

    /// The numbers now. All of them are from the same moment.
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Additions can't be left half done, so a panic elsewhere does not spoil the numbers.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
