//! What an exporter's delivery writes to the log: an outage is a few lines, however many requests it touches.

use std::time::Duration;

use tracing::{debug, info, warn};

use super::transport::Accepted;
use crate::books::Signal;
use crate::say_once::SayOnce;

/// The log of one exporter and signal.
pub(super) struct DeliveryLog {
    exporter: String,
    signal: &'static str,
    /// Requests fail and will be retried.
    retrying: SayOnce,
    /// Requests fail and are dropped.
    dropping: SayOnce,
    /// The backend takes requests with a remark.
    remarks: SayOnce,
    /// The queue was full, and is not empty yet.
    full: SayOnce,
}

impl DeliveryLog {
    pub(super) fn new(exporter: String, signal: Signal) -> Self {
        DeliveryLog {
            exporter,
            signal: signal.into(),
            retrying: SayOnce::default(),
            dropping: SayOnce::default(),
            remarks: SayOnce::default(),
            full: SayOnce::default(),
        }
    }

    /// A request was not taken, and is sent again after `wait`.
    pub(super) fn will_retry(&self, error: &str, wait: Duration) {
        self.failed(&self.retrying, error, &format!("will be retried in {wait:.1?}"));
    }

    /// A request was not taken and is dropped. An outage that begins with retries and ends in drops logs both once.
    pub(super) fn dropped(&self, error: &str, why: &str) {
        self.failed(&self.dropping, error, &format!("is dropped: {why}"));
    }

    fn failed(&self, outage: &SayOnce, error: &str, consequence: &str) {
        if outage.begin() {
            warn!(
                exporter = self.exporter,
                signal = self.signal,
                error,
                "a request failed and {consequence}; further ones are logged at level debug until a request succeeds"
            );
        } else {
            debug!(
                exporter = self.exporter,
                signal = self.signal,
                error,
                "a request failed and {consequence}"
            );
        }
    }

    /// A request was taken.
    pub(super) fn taken(&self, accepted: &Accepted) {
        let ended = [&self.retrying, &self.dropping].map(SayOnce::end);
        if ended.contains(&true) {
            info!(exporter = self.exporter, signal = self.signal, "requests succeed again");
        }
        if *accepted == Accepted::default() {
            self.remarks.end();
        } else {
            self.partial_success(accepted.rejected, &accepted.message);
        }
    }

    fn partial_success(&self, rejected: u64, said: &str) {
        if self.remarks.begin() {
            warn!(
                exporter = self.exporter,
                signal = self.signal,
                rejected,
                said,
                "partial success: the backend refused some items of a request, or added a warning; further ones are \
                 logged at level debug until it takes a request without either"
            );
        } else {
            debug!(exporter = self.exporter, signal = self.signal, rejected, said, "partial success");
        }
    }

    /// The queue was full, and `items` were dropped.
    pub(super) fn queue_full(&self, items: u64) {
        if self.full.begin() {
            warn!(
                exporter = self.exporter,
                signal = self.signal,
                items,
                "the sending queue is full and drops requests; this is logged again only after the queue was empty"
            );
        }
    }

    /// Nothing is left in the queue, neither waiting nor in flight.
    pub(super) fn queue_empty(&self) {
        if self.full.end() {
            info!(exporter = self.exporter, signal = self.signal, "the sending queue has drained");
        }
    }

    /// `items` were dropped because each of them alone is larger than a request may be.
    pub(super) fn too_large(&self, items: u64) {
        warn!(
            exporter = self.exporter,
            signal = self.signal,
            items,
            "items were dropped: each of them alone is larger than a request may be"
        );
    }
}

#[cfg(test)]
mod tests;
