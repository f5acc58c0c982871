//! When a failure of the file and its end are logged. On a disk that is nearly full small requests still fit, so that
//! success and failure take turns.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So long nothing may fail before an outage counts as over.
const QUIET: Duration = Duration::from_secs(10);

/// The last failure of an outage that is not over.
#[derive(Default)]
pub(super) struct Outage(Mutex<Option<Instant>>);

impl Outage {
    /// Notes a failure at `now`. Returns whether an outage begins.
    pub(super) fn failed(&self, now: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(now).is_none()
    }

    /// Notes a success at `now`. Returns whether an outage is over.
    pub(super) fn worked(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.take_if(|last| now.duration_since(*last) >= QUIET).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_and_successes_that_take_turns_are_one_outage() {
        let outage = Outage::default();
        let start = Instant::now();
        assert!(!outage.worked(start));
        assert!(outage.failed(start));
        for second in 1..60 {
            let now = start + Duration::from_secs(second);
            assert!(!outage.worked(now) && !outage.failed(now));
        }
        assert!(!outage.worked(start + Duration::from_secs(68)));
        assert!(outage.worked(start + Duration::from_secs(69)));
        assert!(!outage.worked(start + Duration::from_secs(100)));
        assert!(outage.failed(start + Duration::from_secs(100)), "the next one");
    }
}
