//! Delivery: encode once, queue bytes, send, retry; every item ends in its ledger.
//!
//! An exporter that ships requests brings two things of its own, an [`Encode`] and a [`Transport`]; queue, workers,
//! retries and accounting are here.

mod exporter;
#[cfg(test)]
mod fake;
mod health;
#[cfg(test)]
mod logged;
mod queue;
mod retry;

use std::time::Duration;

use bytes::Bytes;

use crate::component::Batch;

pub use exporter::QueuedExporter;
pub use queue::{OnFull, QueueConfig, Sizer};
pub use retry::RetryConfig;

/// Turns batches into requests.
pub trait Encode: Send + Sync + 'static {
    /// Encodes a batch into as many requests as its size limit asks for.
    fn encode(&self, batch: &Batch) -> Encoded;
}

/// An encoded batch.
#[derive(Clone, Debug, Default)]
pub struct Encoded {
    /// The requests, in the batch's order.
    pub requests: Vec<Request>,
    /// Items left out, each being alone larger than a request may be.
    pub too_large: u64,
}

/// One request, ready to be sent as it is.
#[derive(Clone, Debug)]
pub struct Request {
    /// The encoded message.
    pub body: Bytes,
    /// How many log records or metric points are in it.
    pub items: u64,
}

/// Carries requests to a backend.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request, once, within the transport's own timeout.
    ///
    /// # Errors
    /// Says whether another try may help.
    fn send(&self, body: Bytes) -> impl Future<Output = Result<Accepted, SendError>> + Send;
}

/// A backend's answer to a request that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Items that it refused nevertheless (OTLP `partial_success`); never sent again.
    pub rejected: u64,
    /// Its explanation; with `rejected` 0 a warning.
    pub message: String,
}

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Another try may help.
    #[error("{message}")]
    Retryable {
        /// What happened.
        message: String,
        /// How long the backend asked to wait (RetryInfo, Retry-After).
        after: Option<Duration>,
    },
    /// No other try will help.
    #[error("{message}")]
    Permanent {
        /// What happened.
        message: String,
    },
}
