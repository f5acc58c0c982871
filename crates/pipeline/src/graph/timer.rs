//! Waiting for a moment that may not come.

use tokio::time::{Instant, sleep_until};

/// Waits until `due`; for ever without one.
pub(super) async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
