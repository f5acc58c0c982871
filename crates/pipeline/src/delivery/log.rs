//! What the delivery of an exporter logs. An outage makes only a few lines, even if it affects many requests.

use std::path::Path;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use super::transport::Accepted;
use crate::books::Signal;
use crate::say_once::SayOnce;
use crate::storage::{Damage, StoreError, Totals};

/// The log of one exporter and signal.
pub(super) struct DeliveryLog {
    exporter: String,
    signal: &'static str,
    /// Holds while requests fail and will be retried.
    retrying: SayOnce,
    /// Holds while requests fail and are dropped.
    dropping: SayOnce,
    /// Holds while the backend takes requests but refuses some items or adds a warning.
    remarks: SayOnce,
    /// Holds from the moment when the queue is full until it is empty.
    full: SayOnce,
    /// Holds while the disk does not take what is to be stored.
    unstored: SayOnce,
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
            unstored: SayOnce::default(),
        }
    }

    /// The backend did not take a request. It is sent again after `wait`.
    pub(super) fn will_retry(&self, error: &str, wait: Duration) {
        self.failed(&self.retrying, error, &format!("will be retried in {wait:.1?}"));
    }

    /// The backend did not take a request. It is dropped. An outage that begins with retries and ends with drops logs
    /// each of them once.
    pub(super) fn dropped(&self, error: &str, why: &str) {
        self.failed(&self.dropping, error, &format!("is dropped: {why}"));
    }

    /// The backend did not take a request, and a shutdown has begun. It stays in storage.
    pub(super) fn kept(&self, error: &str) {
        self.failed(&self.retrying, error, "stays in storage for the next start");
    }

    fn failed(&self, outage: &SayOnce, error: &str, consequence: &str) {
        if outage.begin() {
            warn!(
                exporter = self.exporter,
                signal = self.signal,
                error,
                "a request failed and {consequence}; more failures are logged at level debug until a request succeeds"
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

    /// The backend took a request.
    pub(super) fn taken(&self, accepted: &Accepted) {
        let failures: u64 = [&self.retrying, &self.dropping].into_iter().filter_map(SayOnce::end).sum();
        if failures > 0 {
            info!(exporter = self.exporter, signal = self.signal, failures, "requests succeed again");
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
                "partial success: the backend refused some items of a request, or added a warning; more of \
                 these are logged at level debug until it takes a request without either"
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
        if let Some(drops) = self.full.end() {
            info!(exporter = self.exporter, signal = self.signal, drops, "the sending queue has drained");
        }
    }

    /// The disk did not take a commit.
    pub(super) fn storage_failed(&self, file: &Path, error: &StoreError) {
        if self.unstored.begin() {
            warn!(
                exporter = self.exporter,
                signal = self.signal,
                file = %file.display(),
                %error,
                "can't store requests: new ones stay in memory while there is room, and are dropped then; the disk is \
                 tried again"
            );
        }
    }

    /// The disk takes commits again.
    pub(super) fn storage_works(&self) {
        if let Some(failures) = self.unstored.end() {
            info!(exporter = self.exporter, signal = self.signal, failures, "requests are stored again");
        }
    }

    /// The store's file was damaged.
    pub(super) fn damaged(&self, file: &Path, damage: &Damage, now: &Totals) {
        let sum = |totals: &Totals| totals.values().map(|total| total.items).sum::<i64>();
        let lost = match &damage.before {
            Some(before) => (sum(before) - sum(now)).max(0).to_string(),
            None => "an unknown number".to_owned(),
        };
        error!(
            exporter = self.exporter,
            signal = self.signal,
            file = %file.display(),
            why = damage.why,
            set_aside = %damage.aside.display(),
            saved_items = sum(now),
            lost_items = lost,
            "a damaged store was set aside, and what could be read of it was saved"
        );
    }

    /// A stored request is not what was written.
    pub(super) fn damaged_request(&self, file: &Path, items: u64) {
        error!(
            exporter = self.exporter,
            signal = self.signal,
            file = %file.display(),
            items,
            "a stored request is damaged and is dropped: its checksum does not fit"
        );
    }

    /// What was in the store at the start.
    pub(super) fn restored(&self, requests: i64, items: i64) {
        if requests > 0 {
            info!(
                exporter = self.exporter,
                signal = self.signal,
                requests,
                items,
                "stored requests are sent first"
            );
        }
    }

    /// What is in the store at the end.
    pub(super) fn left_stored(&self, items: u64) {
        if items > 0 {
            info!(
                exporter = self.exporter,
                signal = self.signal,
                items,
                "left in storage for the next start"
            );
        }
    }

    /// `items` were stored for too long.
    pub(super) fn expired(&self, items: u64) {
        if self.dropping.begin() {
            warn!(
                exporter = self.exporter,
                signal = self.signal,
                items,
                "requests are dropped that were stored for longer than `retention`"
            );
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
