//! Where the readers' bytes go: decoded, and then into the channel or into a counter.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use otel_tcpretrans_pipeline::clock::unix_nano;
use otel_tcpretrans_pipeline::record::{Amounts, Record};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::convert::{self, DecodeError};
use crate::counters::Counters;
use crate::counts::LiveCounts;
use crate::gaps::{Gaps, version_and_reason};
use crate::skeleton::types::wire_event;
use crate::tap::Tap;
use crate::wall_clock::WallClock;
use crate::wire;

/// Takes events on the reader's thread. Never blocks: it counts what the channel can't take.
#[derive(Debug)]
pub(crate) struct Sink {
    out: Sender<Record>,
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
    /// that, the books have it as unreported, like one that never came.
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

    /// Before a pass: see [`Gaps::look`].
    pub(crate) fn look(&self, counters: &Counters) {
        if self.tap.is_none() {
            self.gaps.borrow_mut().look(counters);
        }
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
            if self.out.try_send(convert::gap(ipv6, reason, amounts, now)).is_err() {
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
        let handed = self.out.try_send(record);
        count(&self.counts.taken, 1);
        if let Err(error) = &handed {
            count(&self.counts.channel_full.events, 1);
            count(&self.counts.channel_full.segments, wire.segments.into());
            if matches!(error, TrySendError::Closed(_)) {
                self.closed.set(true);
            }
        }
        self.gaps.borrow_mut().read(wire, handed.is_ok());
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
