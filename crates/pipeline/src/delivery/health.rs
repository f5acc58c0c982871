//! Whether an exporter's backend takes what it is sent, and when that is worth a line in the log.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tracing::{debug, info, warn};

use crate::books::Signal;

/// The state of one exporter towards the log: an outage is a few lines, however many requests it touches.
pub(super) struct Health {
    exporter: String,
    signal: &'static str,
    failing: AtomicBool,
    dropping: AtomicBool,
    complaining: AtomicBool,
    full: AtomicBool,
}

impl Health {
    pub(super) fn new(exporter: String, signal: Signal) -> Self {
        Health {
            exporter,
            signal: signal.into(),
            failing: AtomicBool::new(false),
            dropping: AtomicBool::new(false),
            complaining: AtomicBool::new(false),
            full: AtomicBool::new(false),
        }
    }

    /// A request was not taken, and will be sent again; the backend may have asked for a wait that is worth knowing.
    pub(super) fn retrying(&self, error: &str, wait: Duration) {
        self.failed(&self.failing, error, &format!("will be retried in {wait:.1?}"));
    }

    /// A request was not taken and is dropped: a line of its own, also in an outage that began with retries.
    pub(super) fn dropped(&self, error: &str, why: &str) {
        self.failed(&self.dropping, error, &format!("dropped: {why}"));
    }

    fn failed(&self, said: &AtomicBool, error: &str, consequence: &str) {
        if said.swap(true, Ordering::Relaxed) {
            debug!(exporter = self.exporter, signal = self.signal, error, "a request failed; {consequence}");
        } else {
            warn!(
                exporter = self.exporter,
                signal = self.signal,
                error,
                "a request failed; {consequence}; more of it at level debug until one succeeds"
            );
        }
    }

    /// A request was taken.
    pub(super) fn recovered(&self) {
        let failed = [&self.failing, &self.dropping].map(|said| said.swap(false, Ordering::Relaxed));
        if failed.contains(&true) {
            info!(exporter = self.exporter, signal = self.signal, "requests succeed again");
        }
    }

    /// The queue was full, and `items` were dropped.
    pub(super) fn queue_full(&self, items: u64) {
        if !self.full.swap(true, Ordering::Relaxed) {
            warn!(
                exporter = self.exporter,
                signal = self.signal,
                items,
                "the sending queue is full and drops; said again only after it was empty"
            );
        }
    }

    /// The queue ran empty.
    pub(super) fn queue_empty(&self) {
        if self.full.swap(false, Ordering::Relaxed) {
            info!(exporter = self.exporter, signal = self.signal, "the sending queue has drained");
        }
    }

    /// Items that are alone larger than a request may be were dropped.
    pub(super) fn too_large(&self, items: u64) {
        warn!(
            exporter = self.exporter,
            signal = self.signal,
            items,
            "dropped: alone larger than a request may be"
        );
    }

    /// The backend took a request and had something to say about it.
    pub(super) fn partial_success(&self, rejected: u64, said: &str) {
        if self.complaining.swap(true, Ordering::Relaxed) {
            debug!(exporter = self.exporter, signal = self.signal, rejected, said, "partial success");
        } else {
            warn!(
                exporter = self.exporter,
                signal = self.signal,
                rejected,
                said,
                "partial success: the backend refused some items, or warns; more of it at level debug until it takes a \
                 request whole"
            );
        }
    }

    /// The backend took a request and had nothing to say about it.
    pub(super) fn success(&self) {
        self.complaining.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
