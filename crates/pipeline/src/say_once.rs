//! A latch for the log: a condition that lasts is logged when it begins, and not again until it has ended.

use std::sync::atomic::{AtomicBool, Ordering};

/// Remembers whether a condition lasts, so that the log can tell of its beginning and its end only.
#[derive(Debug, Default)]
pub struct SayOnce(AtomicBool);

impl SayOnce {
    /// The condition holds now. `true` where it did not hold before: this is worth a line in the log.
    pub fn begin(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// The condition does not hold any more. `true` where it held before: this is worth a line, too.
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
        assert!(outage.begin(), "the next one is told again");
    }
}
