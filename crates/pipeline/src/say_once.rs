//! A latch for the log: a condition that lasts is logged when it begins, and not again until it has ended.

use std::sync::atomic::{AtomicBool, Ordering};

/// Remembers whether a condition holds, so that only its beginning and its end are logged.
#[derive(Debug, Default)]
pub struct SayOnce(AtomicBool);

impl SayOnce {
    /// Notes that the condition holds. Returns true if it did not hold before; then the caller logs a line.
    pub fn begin(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// Notes that the condition does not hold. Returns true if it held before; then the caller logs a line, too.
    pub fn end(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_begins_once_and_ends_once() {
        let outage = SayOnce::default();
        assert!(!outage.end(), "it has not begun");
        assert_eq!([outage.begin(), outage.begin()], [true, false]);
        assert_eq!([outage.end(), outage.end()], [true, false]);
        assert!(outage.begin(), "the next outage is logged again");
    }
}
