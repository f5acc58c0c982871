//! What the queue has in memory: the next requests, and what is known of those behind them on disk.

use std::collections::{BTreeMap, BTreeSet};

use super::ledgers::Ledgers;
use crate::books::{DropReason, Ledger, QueueCounts};
use crate::delivery::fullness::Fullness;
use crate::storage::{AgeClock, Clocks, Place, Row, Total};

/// The waiting requests in memory have at most so many bytes together, or are one.
pub(super) const IN_MEMORY: u64 = 8 << 20;

/// A request in memory.
pub(super) struct Entry {
    pub(super) row: Row,
    pub(super) ledger: Ledger,
    /// Whether it is on disk. It is not if the disk did not take it yet.
    pub(super) on_disk: bool,
}

/// The state of the queue.
pub(super) struct State {
    /// By id: the requests that wait and are in memory. They are before those that are on disk only.
    waiting: BTreeMap<i64, Entry>,
    waiting_bytes: u64,
    /// Rows with a larger id are on disk only.
    pub(super) cursor: i64,
    /// Number of such rows.
    pub(super) behind: u64,
    /// Number of requests that are leased, and the size of their bodies.
    leased: u64,
    leased_bytes: u64,
    /// Size of all bodies in the queue.
    pub(super) bytes: u64,
    /// The largest size.
    pub(super) capacity: u64,
    fullness: Fullness,
    /// Number of requests that came in and are not committed yet.
    pub(super) uncommitted: u64,
    /// Whether the thread was asked for more rows.
    pub(super) fetching: bool,
    pub(super) closed: bool,
    pub(super) ledgers: Ledgers,
    /// By which requests age.
    pub(super) clock: AgeClock,
    /// The place of the store, once it is open.
    pub(super) place: Option<Place>,
}

impl State {
    pub(super) fn new(ledgers: Ledgers, capacity: u64) -> Self {
        State {
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            cursor: 0,
            behind: 0,
            leased: 0,
            leased_bytes: 0,
            bytes: 0,
            capacity,
            fullness: Fullness::default(),
            uncommitted: 0,
            fetching: false,
            closed: false,
            ledgers,
            clock: AgeClock::new(Clocks::default(), 0),
            place: None,
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Whether a successor waits for the store.
    pub(super) fn is_wanted(&self) -> bool {
        self.place.as_ref().is_some_and(Place::is_wanted)
    }

    /// Counts as lost what neither memory has nor the new file of a damaged store. `found` are the sums over its rows that
    /// are on disk only, and `on_disk` the ids of those in memory that it has as well.
    pub(super) fn recount(&mut self, found: &BTreeMap<(String, bool), Total>, on_disk: &BTreeSet<i64>) {
        let mut kept = BTreeMap::new();
        self.behind = 0;
        self.bytes = self.leased_bytes;
        for (key, total) in found {
            self.behind += total.requests.cast_unsigned();
            self.bytes += total.bytes.cast_unsigned();
            kept.insert(key.clone(), total.items.cast_unsigned());
        }
        // Requests that wait in memory are not lost. They are written again, if need be.
        for entry in self.waiting.values_mut() {
            entry.on_disk = on_disk.contains(&entry.row.id);
            self.bytes += entry.row.request.bytes();
            let key = (entry.ledger.key().pipeline.clone(), entry.row.id <= self.ledgers.last_restored);
            *kept.entry(key).or_insert(0) += entry.row.request.items;
        }
        for (pipeline, is_restored, ledger) in self.ledgers.all() {
            let kept = kept.get(&(pipeline.to_string(), is_restored)).copied().unwrap_or(0);
            ledger.drop_queued(ledger.counts().queued.saturating_sub(kept), DropReason::Storage);
        }
    }

    /// Takes the oldest waiting request, for a lease.
    pub(super) fn take(&mut self) -> Option<Entry> {
        let entry = self.pop()?;
        self.leased += 1;
        self.leased_bytes += entry.row.request.bytes();
        Some(entry)
    }

    /// Removes the oldest waiting request that is in memory.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let (_, entry) = self.waiting.pop_first()?;
        self.waiting_bytes -= entry.row.request.bytes();
        Some(entry)
    }

    /// The oldest waiting request that is in memory.
    pub(super) fn first(&self) -> Option<&Entry> {
        self.waiting.first_key_value().map(|(_, entry)| entry)
    }

    /// Those in memory that are not on disk.
    pub(super) fn not_on_disk(&self) -> impl Iterator<Item = &Entry> {
        self.waiting.values().filter(|entry| !entry.on_disk)
    }

    /// The ids of those that wait in memory.
    pub(super) fn ids(&self) -> impl Iterator<Item = i64> {
        self.waiting.keys().copied()
    }

    /// All that wait in memory.
    pub(super) fn waiting_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.waiting.values_mut()
    }

    /// Adds a request to those in memory.
    pub(super) fn insert(&mut self, entry: Entry) {
        self.waiting_bytes += entry.row.request.bytes();
        self.waiting.insert(entry.row.id, entry);
    }

    /// Whether a new request of `bytes` bytes may stay in memory. If others are on disk only, it has its place behind
    /// them.
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        self.behind == 0 && (self.waiting.is_empty() || self.waiting_bytes + bytes <= IN_MEMORY)
    }

    /// Whether more rows can be read into memory.
    pub(super) fn has_room_to_fetch(&self) -> bool {
        self.waiting.is_empty() || self.waiting_bytes < IN_MEMORY / 2
    }

    /// Whether the thread should read more rows now.
    pub(super) fn should_fetch(&self) -> bool {
        self.behind > 0 && !self.fetching && (self.waiting.is_empty() || self.waiting_bytes < IN_MEMORY / 4)
    }

    pub(super) fn end_lease(&mut self, entry: &Entry) {
        self.leased -= 1;
        self.leased_bytes -= entry.row.request.bytes();
        self.leaves(entry.row.request.bytes());
    }

    /// Takes note that a body of this size has left the queue.
    pub(super) fn leaves(&mut self, bytes: u64) {
        self.bytes -= bytes;
        self.fullness.shrank(self.bytes);
    }

    /// Notes that a request found no room.
    pub(super) fn overflows(&mut self) {
        self.fullness.no_room(self.bytes);
    }

    /// Size of the bodies that are leased.
    pub(super) fn leased_bytes(&self) -> u64 {
        self.leased_bytes
    }

    pub(super) fn give_back(&mut self, entry: Entry) {
        self.leased -= 1;
        self.leased_bytes -= entry.row.request.bytes();
        self.insert(entry);
    }

    /// Whether nothing waits, and nothing is on its way to the disk.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.behind == 0 && self.uncommitted == 0
    }

    /// Whether nothing is in the queue.
    pub(super) fn is_drained(&self) -> bool {
        self.is_empty() && self.leased == 0
    }

    pub(super) fn counts(&self) -> QueueCounts {
        QueueCounts { size: self.bytes, capacity: self.capacity, full_since: self.fullness.since() }
    }
}
