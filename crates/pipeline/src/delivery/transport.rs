//! The trait of transports, which carry requests to a backend, and the backend's answers.

use std::time::Duration;

use super::request::Request;

/// Carries requests to a backend.
pub trait Transport: Send + Sync + 'static {
    /// Makes one attempt to send a request. The transport's own timeout bounds it.
    ///
    /// # Errors
    /// The backend did not take the request. The error says whether another attempt may help.
    fn send(&self, request: &Request) -> impl Future<Output = Result<Accepted, SendError>> + Send;
}

/// A backend's answer to a request that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Number of items that it refused although it took the request (`partial_success` of OTLP). They are never sent
    /// again.
    pub rejected: u64,
    /// The backend's explanation. If `rejected` is 0, it is a warning.
    pub message: String,
}

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Another attempt may help.
    #[error("{message}")]
    Retryable {
        /// What happened.
        message: String,
        /// How long the backend asked to wait (`RetryInfo`, `Retry-After`).
        after: Option<Duration>,
    },
    /// No other attempt will help.
    #[error("{message}")]
    Permanent {
        /// What happened.
        message: String,
    },
}
