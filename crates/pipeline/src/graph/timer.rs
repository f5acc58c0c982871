//! A wait for a moment that may be missing.

use tokio::time::{Instant, sleep_until};

/// Waits until `due`. If it is `None`, this waits for ever.
pub(super) async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
