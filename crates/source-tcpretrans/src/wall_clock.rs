//! The offset from boot time to wall time, sampled again every second: a suspend or a clock step shows within one.
//!
//! Boot time is the kernel's, as its stamps have it; a process in a time namespace reads another one.

use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, Timespec, clock_gettime};

/// How long an offset is good for.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(1);

/// The offset last sampled.
#[derive(Debug)]
pub(crate) struct WallClock {
    namespace_ns: i64,
    offset_ns: i64,
    sampled: Instant,
}

impl WallClock {
    /// Looks at the clocks.
    pub(crate) fn sample() -> WallClock {
        let namespace_ns = namespace_ns();
        WallClock { namespace_ns, offset_ns: sample(namespace_ns), sampled: Instant::now() }
    }

    /// Looks at them again where it is time to. Was it?
    pub(crate) fn keep_up(&mut self) -> bool {
        let due = self.sampled.elapsed() >= GOOD_FOR;
        if due {
            self.offset_ns = sample(self.namespace_ns);
            self.sampled = Instant::now();
        }
        due
    }

    /// Wall time minus boot time, in ns.
    pub(crate) fn offset_ns(&self) -> i64 {
        self.offset_ns
    }

    /// Boot time now, in ns.
    pub(crate) fn boot_time_ns(&self) -> u64 {
        let here = nanoseconds(clock_gettime(ClockId::Boottime));
        u64::try_from(here - self.namespace_ns).unwrap_or(0)
    }
}

/// Reads boot time on both sides of wall time and takes the middle: half the time between is the error.
fn sample(namespace_ns: i64) -> i64 {
    let before = nanoseconds(clock_gettime(ClockId::Boottime));
    let wall = nanoseconds(clock_gettime(ClockId::Realtime));
    let after = nanoseconds(clock_gettime(ClockId::Boottime));
    wall - (before + (after - before) / 2 - namespace_ns)
}

/// What this process's time namespace adds to boot time; it can't change while a process is in it.
fn namespace_ns() -> i64 {
    let offsets = fs::read_to_string("/proc/self/timens_offsets"); // not there: the kernel has none
    offsets.ok().and_then(|offsets| boot_time_offset_ns(&offsets)).unwrap_or(0)
}

/// Of lines such as `boottime  -3  500000000`: seconds and nanoseconds.
fn boot_time_offset_ns(offsets: &str) -> Option<i64> {
    let line = offsets.lines().find_map(|line| line.strip_prefix("boottime "))?;
    let mut numbers = line.split_whitespace().map_while(|number| number.parse::<i64>().ok());
    let (seconds, nanoseconds) = numbers.next().zip(numbers.next())?;
    Some(seconds * 1_000_000_000 + nanoseconds)
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
    fn reads_what_a_time_namespace_adds() {
        let offsets = "monotonic           0         0\nboottime           -3 500000000\n";
        assert_eq!(boot_time_offset_ns(offsets), Some(-2_500_000_000));
        assert_eq!(boot_time_offset_ns(""), None);
    }

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
