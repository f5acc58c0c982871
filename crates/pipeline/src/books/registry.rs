//! All ledgers and numbers of the process, and a snapshot of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::ledger::{Counts, Ledger, LedgerKey};
use super::receiver::ReceiverCounts;
use super::signal::Signal;

/// Numbers of one sending queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Size of the requests that wait and of those in flight, in bytes.
    pub size: u64,
    /// The largest size, in bytes.
    pub capacity: u64,
    /// Since when requests find no room; `None` if they do.
    pub full_since: Option<Instant>,
}

type ReceiverProbe = Arc<dyn Fn() -> ReceiverCounts + Send + Sync>;
type QueueProbe = Arc<dyn Fn() -> QueueCounts + Send + Sync>;

/// The books of the process. Clones share them.
///
/// What is in the books stays there when its component is stopped. A component that is started later under the same
/// name goes on with the same numbers, so that a counter never falls and no series appears twice.
#[derive(Clone, Default)]
pub struct Books(Arc<Mutex<Registry>>);

#[derive(Default)]
struct Registry {
    receivers: Vec<Registered>,
    /// Several of one key, where a component was started again under its name. A snapshot shows their sum.
    ledgers: Vec<Ledger>,
    queues: Vec<((String, Signal), QueueProbe)>,
}

struct Registered {
    id: String,
    probe: ReceiverProbe,
    /// The sums of the numbers of earlier receivers with the same id.
    before: ReceiverCounts,
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
    /// Opens a ledger. Snapshots add its numbers to those of the ledgers that were opened with the same key before: a
    /// component that ends may still write into its own while its successor writes into this one.
    pub fn open(&self, key: LedgerKey) -> Ledger {
        let mut registry = self.lock();
        let is_closed = |known: &mut Ledger| *known.key() == key && known.is_closed();
        let closed: Vec<_> = registry.ledgers.extract_if(.., is_closed).collect();
        if let Some((first, others)) = closed.split_first() {
            others.iter().for_each(|other| first.add(other));
            registry.ledgers.push(first.clone());
        }
        let ledger = Ledger::detached(key);
        registry.ledgers.push(ledger.clone());
        ledger
    }

    /// Adds a receiver. Each snapshot reads its numbers by `probe`. If there was a receiver with the same id, its last
    /// numbers are added to those of the new one. The old one must be stopped before this call.
    pub fn add_receiver(&self, id: &str, probe: impl Fn() -> ReceiverCounts + Send + Sync + 'static) {
        let mut registry = self.lock();
        let probe: ReceiverProbe = Arc::new(probe);
        match registry.receivers.iter_mut().find(|registered| registered.id == id) {
            Some(registered) => {
                registered.before = registered.counts();
                registered.probe = probe;
            }
            None => {
                let before = ReceiverCounts::default();
                registry.receivers.push(Registered { id: id.to_owned(), probe, before });
            }
        }
    }

    /// Adds an exporter's sending queue. Each snapshot reads its numbers by `probe`. It replaces the queue of an
    /// earlier exporter with the same id and signal.
    pub fn add_queue(
        &self,
        exporter: String,
        signal: Signal,
        probe: impl Fn() -> QueueCounts + Send + Sync + 'static,
    ) {
        let (key, probe): (_, QueueProbe) = ((exporter, signal), Arc::new(probe));
        let mut registry = self.lock();
        match registry.queues.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = probe,
            None => registry.queues.push((key, probe)),
        }
    }

    /// The books now. Ledgers are read before receivers, so that no pipeline shows records that its receivers do not
    /// show yet.
    pub fn snapshot(&self) -> Snapshot {
        let registry = self.lock();
        let mut ledgers: Vec<(LedgerKey, Counts)> = Vec::new();
        for ledger in &registry.ledgers {
            let counts = ledger.counts();
            match ledgers.iter_mut().find(|(key, _)| key == ledger.key()) {
                Some((_, sum)) => *sum += &counts,
                None => ledgers.push((ledger.key().clone(), counts)),
            }
        }
        let receivers = registry.receivers.iter().map(|known| (known.id.clone(), known.counts())).collect();
        let queues = registry.queues.iter().map(|(key, probe)| (key.clone(), probe())).collect();
        Snapshot { receivers, ledgers, queues }
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registered {
    fn counts(&self) -> ReceiverCounts {
        let mut counts = (self.probe)();
        counts += &self.before;
        counts
    }
}
