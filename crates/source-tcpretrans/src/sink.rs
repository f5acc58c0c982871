//! Where the readers' bytes go: decoded, and then into the channel or into a counter.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use otel_tcpretrans_pipeline::chunk::{CHUNK, Chunk, NoRoom, Room, Sender};
use otel_tcpretrans_pipeline::clock::unix_nano;
use otel_tcpretrans_pipeline::record::{Amounts, Record};

use crate::convert::{self, DecodeError};
use crate::counters::Counters;
use crate::counts::LiveCounts;
use crate::gaps::{Gaps, version_and_reason};
use crate::skeleton::types::wire_event;
use crate::tap::Tap;
use crate::wall_clock::WallClock;
use crate::wire;

/// Records that are collected for a chunk. There is room for them in the channel.
#[derive(Default)]
struct Pending {
    records: Vec<Record>,
    /// Room for the records and for more of them; `None` while there are none.
    room: Option<Room>,
}

/// Takes events on the reader's thread. It never blocks: it counts what the channel can't take.
pub(crate) struct Sink {
    out: Sender<Record>,
    pending: RefCell<Pending>,
    counts: Arc<LiveCounts>,
    gaps: RefCell<Gaps>,
    clock: RefCell<WallClock>,
    closed: Cell<bool>,
    /// Where the events' bytes go as they are, instead of into the channel.
    tap: Option<Arc<Tap>>,
}

impl Sink {
    /// For a session that has `slots` of counters.
    pub(crate) fn new(
        out: Sender<Record>,
        counts: Arc<LiveCounts>,
        tap: Option<Arc<Tap>>,
        slots: usize,
    ) -> Sink {
        Sink {
            out,
            pending: RefCell::default(),
            counts,
            gaps: RefCell::new(Gaps::new(slots)),
            clock: RefCell::new(WallClock::sample()),
            closed: Cell::new(false),
            tap,
        }
    }

    /// Called before each pass over the buffers. Reads the clock here and not per event. True once per second.
    pub(crate) fn begin_pass(&self) -> bool {
        let due = self.clock.borrow_mut().keep_up();
        if due && let Some(tap) = &self.tap {
            self.close_unless(tap.flush());
        }
        due
    }

    /// Takes one record. It counts as taken when it is handed over or counted as lost. Where something panics before
    /// that, the books have it as unreported, like one that never came. Call [`flush`](Self::flush) after the last one.
    pub(crate) fn record(&self, bytes: &[u8]) {
        if let Some(tap) = &self.tap {
            count(&self.counts.taken, 1); // the tap has its own books
            return self.close_unless(tap.event(bytes, self.clock.borrow().offset_ns()));
        }
        match wire::read(bytes) {
            Some(event) => self.event(&event),
            None => self.undecoded(DecodeError::Truncated(bytes.len())),
        }
    }

    /// Before the reader sleeps for a time that nobody knows: what the tap has gathered does not wait for the next event.
    pub(crate) fn before_sleep(&self) {
        if let Some(tap) = &self.tap {
            self.close_unless(tap.flush());
        }
    }

    /// Before a pass: see [`Gaps::look`].
    pub(crate) fn look(&self, counters: &Counters) -> bool {
        self.tap.is_none() && self.gaps.borrow_mut().look(counters)
    }

    /// After the last pass: see [`Gaps::look_last`].
    pub(crate) fn look_last(&self, counters: &Counters) {
        if self.tap.is_none() {
            self.gaps.borrow_mut().look_last(counters);
        }
    }

    /// Delivers the gap as far as it is known. False where the channel has no room for it now.
    pub(crate) fn deliver_gap(&self) -> bool {
        let mut gaps = self.gaps.borrow_mut();
        let gap = gaps.gap();
        let now = unix_nano();
        for (class, amounts) in gap.into_iter().enumerate() {
            if amounts == Amounts::default() {
                continue;
            }
            let (ipv6, reason) = version_and_reason(class);
            let Ok(room) = self.out.try_reserve(1) else { return false };
            if self.out.send(room, vec![convert::gap(ipv6, reason, amounts, now)].into()).is_err() {
                return false;
            }
            gaps.delivered(class);
            count(&self.counts.gap_records, 1);
            count(&self.counts.gap_events, amounts.events);
            count(&self.counts.gap_segments, amounts.segments);
        }
        gaps.close();
        true
    }

    /// Whether the session is to end: the other end of the channel is gone, or the tap has failed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(crate) fn counts(&self) -> &LiveCounts {
        &self.counts
    }

    /// The session ends if the tap has failed.
    fn close_unless(&self, tap_works: bool) {
        if !tap_works {
            self.closed.set(true);
        }
    }

    fn event(&self, wire: &wire_event) {
        let record = match convert::record(wire, self.clock.borrow().offset_ns()) {
            Ok(record) => record,
            Err(error) => {
                self.undecoded(error);
                if matches!(error, DecodeError::UnknownFamily { .. }) {
                    // The event came and the books count it. It must not come back as a gap, too.
                    self.gaps.borrow_mut().read(wire, true);
                }
                return;
            }
        };
        let handed = self.collect(record);
        if !handed {
            count(&self.counts.taken, 1);
            self.refused(1, wire.segments.into());
        }
        self.gaps.borrow_mut().read(wire, handed);
    }

    /// Adds a record to the chunk that is being filled. False if the channel has no room for it.
    fn collect(&self, record: Record) -> bool {
        let mut pending = self.pending.borrow_mut();
        if pending.room.is_none() {
            match self.out.try_reserve(CHUNK) {
                Ok(room) => pending.room = Some(room),
                Err(no_room) => {
                    self.closed.set(self.closed.get() || no_room == NoRoom::Closed);
                    return false;
                }
            }
        }
        pending.records.push(record);
        let is_full = pending.room.as_ref().is_some_and(|room| room.len() == pending.records.len());
        drop(pending);
        if is_full {
            self.flush();
        }
        true
    }

    /// Hands over the records that are collected.
    pub(crate) fn flush(&self) {
        let Pending { records, room } = &mut *self.pending.borrow_mut();
        let Some(room) = room.take() else { return };
        // The chunk gets memory of its own, as much as it needs. The buffer stays for the next one.
        let chunk: Chunk<Record> = records.drain(..).collect();
        count(&self.counts.taken, chunk.len() as u64);
        if let Err(chunk) = self.out.send(room, chunk) {
            self.closed.set(true);
            self.refused(chunk.len() as u64, chunk.iter().map(|record| record.amounts.segments).sum());
        }
    }

    /// Events for which the channel has no room.
    fn refused(&self, events: u64, segments: u64) {
        count(&self.counts.channel_full.events, events);
        count(&self.counts.channel_full.segments, segments);
    }

    fn undecoded(&self, error: DecodeError) {
        count(&self.counts.taken, 1);
        self.counts.undecoded.count(error);
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
