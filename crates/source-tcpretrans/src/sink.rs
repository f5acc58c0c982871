//! Where the readers' records go: decoded, and into the channel or into a counter.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use otel_tcpretrans_pipeline::raw::{Raw, RawEvent};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::record::Tap;
use crate::stats::Stats;
use crate::wall_clock::WallClock;
use crate::wire::{self, WireError};

/// Takes records on the reader's thread. Never blocks: what the channel can't take is counted.
#[derive(Debug)]
pub(crate) struct Sink {
    out: Sender<Raw>,
    stats: Arc<Stats>,
    clock: RefCell<WallClock>,
    closed: Cell<bool>,
    /// Where records go as they are, instead of into the channel.
    tap: Option<Arc<Tap>>,
}

impl Sink {
    pub(crate) fn new(out: Sender<Raw>, stats: Arc<Stats>, tap: Option<Arc<Tap>>) -> Sink {
        Sink { out, stats, clock: RefCell::new(WallClock::sample()), closed: Cell::new(false), tap }
    }

    /// Before each pass over the buffers: the clock is looked at here, not at each record. True once a second.
    pub(crate) fn begin_pass(&self) -> bool {
        let mut clock = self.clock.borrow_mut();
        let due = clock.is_due();
        if due {
            *clock = WallClock::sample();
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
        match wire::decode(bytes, self.clock.borrow().offset_ns()) {
            Ok(event) => self.event(event),
            Err(WireError::Truncated(_)) => count(&self.stats.truncated, 1),
            Err(WireError::UnknownKind(_)) => count(&self.stats.unknown_kind, 1),
        }
    }

    /// The perf buffer of `cpu` had no room for so many samples.
    pub(crate) fn lost(&self, cpu: i32, samples: u64) {
        self.stats.lost(usize::try_from(cpu).unwrap_or_default(), samples);
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

    fn event(&self, event: RawEvent) {
        match self.out.try_send(event.into()) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => count(&self.stats.channel_full, 1),
            Err(TrySendError::Closed(_)) => {
                count(&self.stats.channel_full, 1);
                self.closed.set(true);
            }
        }
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
