//! The clocks: the wall clock, and the time since the machine was started.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// The wall clock now, in ns since the Unix epoch; 0 if the clock is set to a time before that.
pub fn unix_nano() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The time since the machine was started, suspended time included (`CLOCK_BOOTTIME`). Nobody can set this clock.
pub fn boot_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}
