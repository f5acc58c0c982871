//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock now, in ns since the Unix epoch; 0 if the clock is set to a time before that.
pub fn unix_nano() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
