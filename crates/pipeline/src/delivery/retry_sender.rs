//! Sends requests until each is delivered or dropped, and reports the outcome to the ledger, the log and the status.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::error;

use super::log::DeliveryLog;
use super::request::Request;
use super::retry::{self, Failure, Kept, RetryConfig};
use super::transport::{Accepted, Transport};
use crate::books::{DropReason, Ledger};
use crate::status::{Reported, Status, StatusReporter};

/// Sends requests over `T`, with retries.
pub(super) struct RetrySender<T> {
    transport: T,
    retry: RetryConfig,
    log: Arc<DeliveryLog>,
    status: StatusReporter,
    /// The deadline. `None` before shutdown begins.
    shutdown: watch::Sender<Option<Instant>>,
}

impl<T: Transport> RetrySender<T> {
    pub(super) fn new(transport: T, retry: RetryConfig, log: Arc<DeliveryLog>) -> Self {
        let (status, shutdown) = (StatusReporter::default(), watch::Sender::new(None));
        RetrySender { transport, retry, log, status, shutdown }
    }

    pub(super) fn status(&self) -> watch::Receiver<Reported> {
        self.status.watch()
    }

    /// From now on the waits between attempts are short, and nothing is sent after `deadline`. If this is called again,
    /// the first deadline stays in force.
    pub(super) fn begin_shutdown(&self, deadline: Instant) {
        self.status.report(Status::Stopping);
        self.shutdown.send_if_modified(|current| {
            let is_first = current.is_none();
            current.get_or_insert(deadline);
            is_first
        });
    }

    /// Reports that every request is delivered or dropped.
    pub(super) fn stopped(&self) {
        self.status.report(Status::Stopped);
    }

    /// Whether the shutdown's deadline has passed.
    pub(super) fn is_too_late(&self) -> bool {
        self.shutdown.borrow().is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Whether a shutdown has begun.
    pub(super) fn is_ending(&self) -> bool {
        self.shutdown.borrow().is_some()
    }

    /// Sends a request, and settles its items in `ledger`. Returns whether it has settled them: a request that is kept on
    /// disk stays in flight.
    pub(super) async fn deliver(&self, request: &Request, kept: Kept, ledger: &Ledger) -> bool {
        self.status.trying();
        let mut shutdown = self.shutdown.subscribe();
        let will_retry = |error: String, wait| self.will_retry(error, wait);
        let sent = retry::send(&self.transport, (request, kept), &self.retry, will_retry, &mut shutdown);
        // A panic in a transport drops one request. Without this it would end the worker, so that the queue would stop.
        match AssertUnwindSafe(sent).catch_unwind().await {
            Ok(Ok(accepted)) => {
                self.taken(&accepted, request.items);
                ledger.deliver(request.items, accepted.rejected);
            }
            Ok(Err(failure)) => {
                let reason = failure.drop_reason();
                if let Some(reason) = reason {
                    ledger.drop_items(request.items, reason);
                }
                self.failed(failure);
                return reason.is_some();
            }
            Err(_panic) => {
                error!(items = request.items, "the transport panicked, so the request is dropped");
                ledger.drop_items(request.items, DropReason::Internal);
            }
        }
        true
    }

    fn taken(&self, accepted: &Accepted, items: u64) {
        self.log.taken(accepted);
        // A backend that takes requests and refuses all that is in them gets nothing.
        self.status.report(match items > 0 && accepted.rejected >= items {
            true => Status::PermanentError(format!("the backend rejects all items: {}", accepted.message)),
            false => Status::Ok,
        });
    }

    fn will_retry(&self, error: String, wait: Duration) {
        self.log.will_retry(&error, wait);
        self.status.report(Status::RecoverableError(error));
    }

    fn failed(&self, failure: Failure) {
        match failure {
            Failure::Deadline | Failure::Kept { error: None } => {}
            Failure::Kept { error: Some(error) } => {
                self.log.kept(&error);
                self.status.report(Status::RecoverableError(error));
            }
            Failure::Expired { error } => {
                self.log.dropped(&error, "it was stored for longer than `retention`");
                self.status.report(Status::RecoverableError(error));
            }
            Failure::Refused { error } => {
                self.log.dropped(&error, "the backend refuses it permanently");
                self.status.report(Status::PermanentError(error));
            }
            Failure::NoMoreAttempts { error, why } => {
                self.log.dropped(&error, why);
                self.status.report(Status::RecoverableError(error));
            }
        }
    }
}
