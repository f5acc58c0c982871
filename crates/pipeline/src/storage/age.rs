//! The clock by which stored requests age. A step of the wall clock does not change it.

use std::time::Duration;

use crate::clock::{boot_time, unix_nano};

/// The clocks that it is made of. A test puts in its own.
#[derive(Clone)]
pub(crate) struct Clocks {
    /// The wall clock, in ms since the Unix epoch.
    pub(crate) wall: fn() -> i64,
    /// A clock that nobody sets.
    pub(crate) steady: fn() -> Duration,
}

impl Default for Clocks {
    fn default() -> Self {
        Clocks { wall: || i64::try_from(unix_nano() / 1_000_000).unwrap_or(i64::MAX), steady: boot_time }
    }
}

/// Begins as the wall clock, and then goes on with the steady clock. A machine whose clock is wrong until NTP sets it
/// would otherwise make its requests many years old at once, and drop them.
///
/// The next process goes on where this one ended: the store keeps how far this clock is off the wall clock.
pub(crate) struct AgeClock {
    clocks: Clocks,
    /// What it showed when the steady clock showed `since`, in ms since the Unix epoch.
    base: i64,
    since: Duration,
}

impl AgeClock {
    /// A clock that is `off` ms behind the wall clock.
    pub(crate) fn new(clocks: Clocks, off: i64) -> Self {
        let (wall, since) = ((clocks.wall)(), (clocks.steady)());
        AgeClock { clocks, base: wall.saturating_sub(off), since }
    }

    /// The time now, in ms since the Unix epoch.
    pub(crate) fn now(&self) -> i64 {
        let passed = (self.clocks.steady)().saturating_sub(self.since).as_millis();
        self.base.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// How far it is behind the wall clock now, in ms.
    pub(crate) fn off(&self) -> i64 {
        (self.clocks.wall)().saturating_sub(self.now())
    }
}
