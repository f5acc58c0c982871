//! The offset from boot time to wall time, sampled again every second: a suspend or a clock step shows within one.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, Timespec, clock_gettime};

/// How long an offset is good for.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(1);

/// The offset last sampled.
#[derive(Debug)]
pub(crate) struct WallClock {
    offset_ns: i64,
    sampled: Instant,
}

impl WallClock {
    /// Looks at the clocks.
    pub(crate) fn sample() -> WallClock {
        WallClock { offset_ns: sample(), sampled: Instant::now() }
    }

    /// Wall time minus boot time, in ns.
    pub(crate) fn offset_ns(&self) -> i64 {
        self.offset_ns
    }

    /// Is it time to sample again?
    pub(crate) fn is_due(&self) -> bool {
        self.sampled.elapsed() >= GOOD_FOR
    }
}

/// Reads boot time on both sides of wall time and takes the middle: half the time between is the error.
fn sample() -> i64 {
    let before = nanoseconds(clock_gettime(ClockId::Boottime));
    let wall = nanoseconds(clock_gettime(ClockId::Realtime));
    let after = nanoseconds(clock_gettime(ClockId::Boottime));
    wall - (before + (after - before) / 2)
}

/// Of a clock since its start.
pub(crate) fn nanoseconds(time: Timespec) -> i64 {
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn boot_time_plus_offset_is_wall_time() {
        let boot = nanoseconds(clock_gettime(ClockId::Boottime));
        let wall = SystemTime::UNIX_EPOCH
            + Duration::from_nanos(boot.unsigned_abs())
            + Duration::from_nanos(WallClock::sample().offset_ns().unsigned_abs());
        let apart = wall.duration_since(SystemTime::now()).unwrap_or_else(|error| error.duration());
        assert!(apart < Duration::from_secs(1), "{apart:?}");
    }
}
