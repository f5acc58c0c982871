//! Delivery: a batch is encoded once. Its requests are queued and sent, and sent again after a failure, until each is
//! delivered or dropped. The ledger counts the outcome of each item.
//!
//! An exporter of requests has two parts of its own, an [`Encode`] and a [`Transport`]. The queue, the workers, the
//! retries and the accounting are here:
//!
//! ```text
//! batch -> Encode -> Queue -> worker: lease -> RetrySender -> Transport -> backend; then ack
//! ```

mod exporter;
#[cfg(test)]
mod fake;
mod fullness;
mod log;
#[cfg(test)]
mod logged;
mod queue;
mod queue_config;
mod request;
mod retry;
mod retry_sender;
mod stored;
mod transport;

pub use exporter::{QueuedExporter, Sending};
pub use queue_config::{OnFull, QueueConfig, Sizer};
pub use request::{Compression, Encode, Encoded, Format, Request};
pub use retry::RetryConfig;
pub use transport::{Accepted, SendError, Transport};
