//! A latch for the log: a condition that lasts is logged when it begins, and not again until it has ended. Then the log says
//! how often it was found.

use std::sync::atomic::{AtomicU64, Ordering};

/// Remembers whether a condition holds, so that only its beginning and its end are logged.
#[derive(Debug, Default)]
pub struct SayOnce(AtomicU64);

impl SayOnce {
    /// Notes that the condition holds. Returns true if it did not hold before; then the caller logs a line.
    pub fn begin(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Notes that the condition does not hold. If it held before, the caller logs a line, too: this returns how often
    /// it was found to hold.
    pub fn end(&self) -> Option<u64> {
        // Mostly there is nothing to end, and then nothing is written.
        let times = || self.0.swap(0, Ordering::Relaxed);
        (self.0.load(Ordering::Relaxed) > 0).then(times).filter(|times| *times > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_begins_once_and_ends_once() {
        let outage = SayOnce::default();
        assert_eq!(outage.end(), None, "it has not begun");
        assert_eq!([outage.begin(), outage.begin()], [true, false]);
        assert_eq!([outage.end(), outage.end()], [Some(2), None]);
        assert!(outage.begin(), "the next outage is logged again");
    }
}
