//! What the queue's tasks and its thread share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::state::State;
use crate::delivery::log::DeliveryLog;

/// What tasks and the thread share.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Notified when there may be a request to lease, or when nothing more will come.
    pub(super) changed: Notify,
    /// No request is leased any more. What waits stays on disk.
    pub(super) stopped: AtomicBool,
    pub(super) log: Arc<DeliveryLog>,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
