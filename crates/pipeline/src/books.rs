//! The books: every item is accounted for, at a named place and for a named reason.
//!
//! Three kinds of ledger, each an equation that a [`Snapshot`] shows:
//!
//! - a receiver: `seen = received + unobserved(place, reason)`, plus what is still on its way;
//! - a pipeline: `accepted = passed + filtered + aggregated + dropped(reason) + in flight` (records: flows and
//!   gaps);
//! - a pipeline's exporter: `accepted = delivered + rejected + dropped(reason) + queued + in flight` (log records
//!   or metric points).
//!
//! "In flight" is what is accepted and not yet accounted for otherwise: after a drain it is 0, or something leaked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strum::IntoStaticStr;

/// What kind of telemetry a pipeline carries.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, strum::EnumString, strum::Display,
)]
#[strum(serialize_all = "lowercase")]
pub enum Signal {
    /// Log records.
    Logs,
    /// Metric points.
    Metrics,
}

/// Why something was dropped. Retrying is not dropping.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, strum::Display, strum::EnumIter,
)]
#[strum(serialize_all = "snake_case")]
pub enum DropReason {
    /// The pipeline could not keep up and its input channel was full.
    PipelineFull,
    /// The sending queue was full.
    QueueFull,
    /// The backend refused for good, or with a code that must not be retried.
    PermanentError,
    /// Retried until `max_elapsed_time`, or not at all where retries are disabled.
    RetriesExhausted,
    /// One item alone is larger than a request may be.
    TooLarge,
    /// Not delivered when the shutdown deadline passed.
    Shutdown,
    /// A task of the pipeline ended without handing on what it held (a bug).
    Internal,
}

/// Which ledger.
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
    /// Handed on to the exporters (pipelines of logs).
    pub passed: u64,
    /// Left out by a processor, as configured.
    pub filtered: u64,
    /// Gone into sums.
    pub aggregated: u64,
    /// Taken by the backend.
    pub delivered: u64,
    /// Refused by the backend in a partial success.
    pub rejected: u64,
    /// Dropped, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Waiting in the sending queue.
    pub queued: u64,
}

impl Counts {
    /// Dropped for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Accepted and not yet accounted for otherwise. Negative would be a bug of the books.
    pub fn in_flight(&self) -> i128 {
        let settled = self.passed + self.filtered + self.aggregated + self.delivered + self.rejected;
        i128::from(self.accepted) - i128::from(settled + self.dropped_total() + self.queued)
    }
}

/// A handle to one ledger; clones share it.
#[derive(Clone, Debug)]
pub struct Ledger {
    key: Arc<LedgerKey>,
    counts: Arc<Mutex<Counts>>,
}

impl Ledger {
    /// A ledger of its own, in nobody's books; for tests and tools.
    pub fn detached(key: LedgerKey) -> Self {
        Ledger { key: Arc::new(key), counts: Arc::default() }
    }

    /// Which ledger this is.
    pub fn key(&self) -> &LedgerKey {
        &self.key
    }

    /// Items taken over.
    pub fn accept(&self, items: u64) {
        self.lock().accepted += items;
    }

    /// Items handed on to the exporters.
    pub fn pass(&self, items: u64) {
        self.lock().passed += items;
    }

    /// Items left out as configured.
    pub fn filter(&self, items: u64) {
        self.lock().filtered += items;
    }

    /// Items gone into sums.
    pub fn aggregate(&self, items: u64) {
        self.lock().aggregated += items;
    }

    /// Items taken by the backend, `rejected` of them refused by it in a partial success.
    pub fn deliver(&self, items: u64, rejected: u64) {
        let rejected = rejected.min(items);
        let mut counts = self.lock();
        counts.delivered += items - rejected;
        counts.rejected += rejected;
    }

    /// Items dropped that were in flight.
    pub fn drop_items(&self, items: u64, reason: DropReason) {
        *self.lock().dropped.entry(reason).or_default() += items;
    }

    /// Items that enter the sending queue.
    pub fn enqueue(&self, items: u64) {
        self.lock().queued += items;
    }

    /// Items that leave the sending queue, in flight again.
    pub fn dequeue(&self, items: u64) {
        self.lock().queued -= items;
    }

    /// Drops all that is in flight. Only when nobody works on it any more.
    pub(crate) fn write_off(&self, reason: DropReason) {
        let mut counts = self.lock();
        if let Ok(lost @ 1..) = u64::try_from(counts.in_flight()) {
            *counts.dropped.entry(reason).or_default() += lost;
        }
    }

    /// The numbers now, of one moment.
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Additions can't be left half done, so a panic elsewhere does not spoil the numbers.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a receiver did not observe, where and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unobserved {
    /// Where it was lost: `kernel`, `channel`, `decode`, `flow`; `recording`, `file`.
    pub place: &'static str,
    /// Why: `ring_full`, `channel_full`, `truncated`, `unknown_family`, …
    pub reason: &'static str,
    /// On which CPU, where that is known.
    pub cpu: Option<u32>,
    /// How many events.
    pub events: u64,
    /// Segments of those events, where the place knows.
    pub segments: Option<u64>,
}

/// What a receiver did not observe and made good by gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Healed {
    /// Gaps, each of them a record.
    pub records: u64,
    /// Events in gaps.
    pub events: u64,
    /// Segments in gaps.
    pub segments: u64,
}

/// Numbers of one receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverCounts {
    /// Events that the source itself (the kernel) counted before any output was tried.
    pub seen: u64,
    /// Events whose records reached the flow stage.
    pub received: u64,
    /// Events that did not.
    pub unobserved: Vec<Unobserved>,
    /// What it handed over as gaps; the events are still unobserved.
    pub healed: Healed,
    /// Facts in words that are worth a label: hook, transport.
    pub info: Vec<(&'static str, String)>,
    /// Facts in numbers, by instrument name without prefix: pages reached, ring size; (name, unit, value).
    pub gauges: Vec<(&'static str, &'static str, u64)>,
}

/// Numbers of one sending queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Bytes of the requests in it: those that wait and those in flight.
    pub size: u64,
    /// Bytes it holds at most.
    pub capacity: u64,
}

type ReceiverProbe = Arc<dyn Fn() -> ReceiverCounts + Send + Sync>;
type QueueProbe = Arc<dyn Fn() -> QueueCounts + Send + Sync>;

/// All ledgers of the process; clones share them.
#[derive(Clone, Default)]
pub struct Books(Arc<Mutex<Registry>>);

#[derive(Default)]
struct Registry {
    receivers: Vec<(String, ReceiverProbe)>,
    ledgers: Vec<Ledger>,
    queues: Vec<((String, Signal), QueueProbe)>,
}

/// The books at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// By receiver id.
    pub receivers: Vec<(String, ReceiverCounts)>,
    /// By ledger.
    pub ledgers: Vec<(LedgerKey, Counts)>,
    /// By exporter id and signal.
    pub queues: Vec<((String, Signal), QueueCounts)>,
}

impl Books {
    /// Opens a ledger.
    pub fn open(&self, key: LedgerKey) -> Ledger {
        let ledger = Ledger::detached(key);
        self.lock().ledgers.push(ledger.clone());
        ledger
    }

    /// Adds a receiver, which is asked for its numbers at each snapshot.
    pub fn add_receiver(&self, id: String, probe: impl Fn() -> ReceiverCounts + Send + Sync + 'static) {
        self.lock().receivers.push((id, Arc::new(probe)));
    }

    /// Adds an exporter's sending queue, which is asked for its numbers at each snapshot.
    pub fn add_queue(
        &self,
        exporter: String,
        signal: Signal,
        probe: impl Fn() -> QueueCounts + Send + Sync + 'static,
    ) {
        self.lock().queues.push(((exporter, signal), Arc::new(probe)));
    }

    /// The books now, read against the stream: no pipeline shows more than its receivers do.
    pub fn snapshot(&self) -> Snapshot {
        let registry = self.lock();
        let ledgers = registry.ledgers.iter().map(|l| (l.key().clone(), l.counts())).collect();
        Snapshot {
            ledgers,
            receivers: registry.receivers.iter().map(|(id, probe)| (id.clone(), probe())).collect(),
            queues: registry.queues.iter().map(|(key, probe)| (key.clone(), probe())).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
