//! Delivery: requests are encoded once, queued, sent, and sent again until they have an end. The ledger of each item
//! says which end that was.
//!
//! An exporter that ships requests brings two things of its own, an [`Encode`] and a [`Transport`]. The queue, the
//! workers, the retries and the accounting are here:
//!
//! ```text
//! batch -> Encode -> Queue -> worker: lease -> RetrySender -> Transport -> backend; then ack
//! ```

mod exporter;
#[cfg(test)]
mod fake;
mod log;
#[cfg(test)]
mod logged;
mod queue;
mod queue_config;
mod request;
mod retry;
mod retry_sender;
mod transport;

pub use exporter::QueuedExporter;
pub use queue_config::{OnFull, QueueConfig, Sizer};
pub use request::{Compression, Encode, Encoded, Request};
pub use retry::RetryConfig;
pub use transport::{Accepted, SendError, Transport};
