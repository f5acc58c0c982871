//! Refreshes the instruments before a reader collects them.

use std::sync::{Mutex, PoisonError};

/// Refreshes all instruments and then lets one reader collect them. Readers take turns, so that each of them sees the
/// instruments as they were at one moment.
pub(super) struct Refresher {
    refresh: Box<dyn Fn() + Send + Sync>,
    turn: Mutex<()>,
}

impl Refresher {
    /// `refresh` runs before each collection.
    pub(super) fn new(refresh: impl Fn() + Send + Sync + 'static) -> Self {
        Refresher { refresh: Box::new(refresh), turn: Mutex::new(()) }
    }

    /// Refreshes the instruments, then runs `collect`.
    pub(super) fn collect<T>(&self, collect: impl FnOnce() -> T) -> T {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        (self.refresh)();
        collect()
    }
}
