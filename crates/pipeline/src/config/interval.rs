//! Durations as they are written in configurations.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_with::SerializeDisplay;

/// A `Duration` that is written with a unit: `200ms`, `5s`, `1m 30s`. Zero needs no unit, since users of the Collector
/// write `max_elapsed_time: 0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, SerializeDisplay)]
pub struct Interval(Duration);

impl Interval {
    /// Zero.
    pub const ZERO: Self = Interval(Duration::ZERO);

    /// A number of seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Interval(Duration::from_secs(seconds))
    }

    /// A number of milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Interval(Duration::from_millis(milliseconds))
    }
}

impl From<Duration> for Interval {
    fn from(duration: Duration) -> Self {
        Interval(duration)
    }
}

impl Deref for Interval {
    type Target = Duration;

    fn deref(&self) -> &Duration {
        &self.0
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl FromStr for Interval {
    type Err = humantime::DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text).map(Interval)
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntervalVisitor)
    }
}

struct IntervalVisitor;

impl Visitor<'_> for IntervalVisitor {
    type Value = Interval;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration, such as 200ms, 5s or 1m")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Interval, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Interval, E> {
        match number {
            0 => Ok(Interval::ZERO),
            _ => Err(E::invalid_type(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Interval, E> {
        match number {
            0 => Ok(Interval::ZERO),
            _ => Err(E::invalid_type(Unexpected::Signed(number), &self)),
        }
    }
}

/// Checks that a timer can wait for a configured time. A shorter one would keep a CPU busy, and a longer one might
/// overflow the clock that it is added to.
///
/// # Errors
/// The time is below 1 ms or above a year.
pub fn fit(time: Duration) -> Result<Duration, &'static str> {
    const SHORTEST: Duration = Duration::from_millis(1);
    const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    match (SHORTEST..=LONGEST).contains(&time) {
        true => Ok(time),
        false => Err("expected a time from 1ms to a year"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Option<Interval>, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn durations_round_trip() {
        for (written, milliseconds) in [("200ms", 200), ("5s", 5000), ("1m 30s", 90_000), ("0s", 0)] {
            let interval = Interval::from_millis(milliseconds);
            assert_eq!(serde_yaml::to_string(&interval).unwrap().trim(), written);
            assert_eq!(read(written), Ok(Some(interval)));
        }
    }

    #[test]
    fn zero_needs_no_unit_and_every_other_number_needs_one() {
        assert_eq!(read("0"), Ok(Some(Interval::ZERO)));
        assert_eq!(read("'0'"), Ok(Some(Interval::ZERO)));
        assert_eq!(read("null"), Ok(None));
        for yaml in ["5", "-5", "1.5", "true", "soon", "[5s]"] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains("expected a duration, such as 200ms, 5s or 1m"), "{yaml}: {error}");
        }
    }

    #[test]
    fn only_what_a_timer_can_wait_for_fits() {
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        for good in [Duration::from_millis(1), year] {
            assert_eq!(fit(good), Ok(good));
        }
        for bad in [Duration::ZERO, Duration::from_micros(999), year + Duration::from_nanos(1)] {
            assert_eq!(fit(bad), Err("expected a time from 1ms to a year"), "{bad:?}");
        }
    }
}
