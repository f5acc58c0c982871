//! Where the readers' records go: decoded, and into the channel or into a counter.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use otel_tcpretrans_pipeline::raw::{Raw, RawGap};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::counters::Counters;
use crate::healing::{Healing, Numbers, version_and_reason};
use crate::record::Tap;
use crate::skeleton::types::wire_event;
use crate::stats::Stats;
use crate::wall_clock::WallClock;
use crate::wire::{self, WireError};

/// Takes records on the reader's thread. Never blocks: what the channel can't take is counted.
#[derive(Debug)]
pub(crate) struct Sink {
    out: Sender<Raw>,
    stats: Arc<Stats>,
    healing: RefCell<Healing>,
    clock: RefCell<WallClock>,
    closed: Cell<bool>,
    /// Where records go as they are, instead of into the channel.
    tap: Option<Arc<Tap>>,
}

impl Sink {
    /// For a session that has `slots` of counters.
    pub(crate) fn new(out: Sender<Raw>, stats: Arc<Stats>, tap: Option<Arc<Tap>>, slots: usize) -> Sink {
        Sink {
            out,
            stats,
            healing: RefCell::new(Healing::new(slots)),
            clock: RefCell::new(WallClock::sample()),
            closed: Cell::new(false),
            tap,
        }
    }

    /// Before each pass over the buffers: the clock is looked at here, not at each record. True once a second.
    pub(crate) fn begin_pass(&self) -> bool {
        let due = self.clock.borrow_mut().keep_up();
        if due {
            self.tapped(|tap| tap.flush());
        }
        due
    }

    /// One record.
    pub(crate) fn record(&self, bytes: &[u8]) {
        count(&self.stats.taken, 1);
        if self.tapped(|tap| tap.event(bytes, self.clock.borrow().offset_ns())) {
            return;
        }
        match wire::read(bytes) {
            Ok(event) => self.event(&event),
            Err(error) => self.undecoded(error),
        }
    }

    /// Before a pass: see [`Healing::look`].
    pub(crate) fn look(&self, counters: &Counters) {
        if self.tap.is_none() {
            self.healing.borrow_mut().look(counters);
        }
    }

    /// After the last pass: see [`Healing::look_last`].
    pub(crate) fn look_last(&self, counters: &Counters) {
        if self.tap.is_none() {
            self.healing.borrow_mut().look_last(counters);
        }
    }

    /// Delivers the gap as far as it is known. False where the channel has no room for it now.
    pub(crate) fn heal(&self) -> bool {
        let mut healing = self.healing.borrow_mut();
        let gap = healing.gap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        for (class, numbers) in gap.into_iter().enumerate() {
            if numbers == Numbers::default() {
                continue;
            }
            if self.out.try_send(Raw::Gap(raw_gap(class, numbers, now))).is_err() {
                return false;
            }
            healing.delivered(class);
            count(&self.stats.gap_records, 1);
            count(&self.stats.gap_events, numbers.events);
            count(&self.stats.gap_segments, numbers.segments);
        }
        healing.close();
        true
    }

    /// Has the other end of the channel gone?
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Does something with the tap, where there is one; a session whose tap has failed ends.
    fn tapped(&self, does: impl FnOnce(&Tap) -> bool) -> bool {
        if let Some(tap) = &self.tap
            && !does(tap)
        {
            self.closed.set(true);
        }
        self.tap.is_some()
    }

    fn event(&self, wire: &wire_event) {
        let event = match wire::raw_event(wire, self.clock.borrow().offset_ns()) {
            Ok(event) => event,
            Err(error) => return self.undecoded(error),
        };
        let handed = self.out.try_send(Raw::Event(event));
        if let Err(error) = &handed {
            count(&self.stats.channel_full.events, 1);
            count(&self.stats.channel_full.segments, wire.segments.into());
            if matches!(error, TrySendError::Closed(_)) {
                self.closed.set(true);
            }
        }
        self.healing.borrow_mut().read(wire, handed.is_ok());
    }

    fn undecoded(&self, error: WireError) {
        match error {
            WireError::Truncated(_) => count(&self.stats.truncated, 1),
            WireError::UnknownKind(_) => count(&self.stats.unknown_kind, 1),
        }
    }
}

fn raw_gap(class: usize, numbers: Numbers, time_unix_nano: u64) -> RawGap {
    let (ipv6, reason) = version_and_reason(class);
    RawGap {
        time_unix_nano,
        ipv6,
        reason: wire::reason(reason),
        events: numbers.events,
        segments: numbers.segments,
        bytes: numbers.payload_bytes,
        failures: numbers.failures,
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
