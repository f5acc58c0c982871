//! Records that wait until the news of their time have come.
//!
//! The API tells late who has an address: a new pod has sent its first segments before the API shows its address. So a record
//! is named some time after it was made. A record that is older, such as one of a recording, does not wait.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::chunk::Chunk;
use crate::record::Record;

/// So many records wait at most: an outlet has room for them. If there are more, the oldest are named before their time.
const MOST: usize = 8192;

/// Records that wait, in their order.
#[derive(Default)]
pub(super) struct Delay {
    /// How long a record waits, from its own time on.
    delay: Duration,
    waiting: VecDeque<(Instant, Chunk<Record>)>,
    records: usize,
}

impl Delay {
    pub(super) fn new(delay: Duration) -> Delay {
        Delay { delay, ..Delay::default() }
    }

    /// Number of records that wait.
    pub(super) fn len(&self) -> usize {
        self.records
    }

    /// When the next ones have waited long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|(due, _)| *due)
    }

    /// Takes records at `now`, which is `unix_nano` on the clock of the records.
    pub(super) fn push(&mut self, records: Chunk<Record>, now: Instant, unix_nano: u64) {
        let newest = records.iter().map(|record| record.time_unix_nano).max().unwrap_or_default();
        let age = Duration::from_nanos(unix_nano.saturating_sub(newest));
        // None goes before an earlier one.
        let due =
            (now + self.delay.saturating_sub(age)).max(self.waiting.back().map_or(now, |(due, _)| *due));
        self.records += records.len();
        self.waiting.push_back((due, records));
    }

    /// The next records that have waited long enough at `now`, or that are too many. If `now` is `None`, all have.
    pub(super) fn next(&mut self, now: Option<Instant>) -> Option<Chunk<Record>> {
        let (due, _) = self.waiting.front()?;
        if now.is_some_and(|now| *due > now) && self.records <= MOST {
            return None;
        }
        let (_, records) = self.waiting.pop_front()?;
        self.records -= records.len();
        Some(records)
    }
}

#[cfg(test)]
mod tests {
    //! Who waits, for how long, and in which order.

    use super::*;
    use crate::fixtures::record;

    const SECOND: Duration = Duration::from_secs(1);
    const NOW: u64 = 1_700_000_000_000_000_000;

    /// Records that are so old.
    fn aged(age: Duration, count: usize) -> Chunk<Record> {
        let time_unix_nano = NOW - u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
        (0..count).map(|_| Record { time_unix_nano, ..record() }).collect()
    }

    #[test]
    fn a_record_waits_from_its_own_time_on_and_none_overtakes() {
        let mut delay = Delay::new(SECOND);
        let now = Instant::now();
        assert_eq!((delay.due(), delay.len()), (None, 0));
        delay.push(aged(SECOND * 3600, 1), now, NOW);
        assert_eq!(delay.due(), Some(now), "an old one does not wait");
        assert!(delay.next(Some(now)).is_some());
        delay.push(aged(SECOND / 4, 2), now, NOW);
        assert_eq!((delay.due(), delay.len()), (Some(now + SECOND * 3 / 4), 2));
        delay.push(aged(SECOND * 3600, 3), now, NOW);
        assert!(delay.next(Some(now)).is_none());
        let later = Some(now + SECOND * 3 / 4);
        let lengths: Vec<_> = std::iter::from_fn(|| delay.next(later)).map(|records| records.len()).collect();
        assert_eq!(lengths, [2, 3]);
        assert_eq!(delay.len(), 0);
    }

    #[test]
    fn the_oldest_of_too_many_go_on_and_at_the_end_all_do() {
        let mut delay = Delay::new(SECOND);
        let now = Instant::now();
        for _ in 0..=MOST / 256 {
            delay.push(aged(Duration::ZERO, 256), now, NOW);
        }
        assert!(delay.next(Some(now)).is_some_and(|records| records.len() == 256));
        assert!(delay.next(Some(now)).is_none());
        assert_eq!(delay.len(), MOST);
        assert_eq!(std::iter::from_fn(|| delay.next(None)).count(), MOST / 256);
    }

    #[test]
    fn a_record_of_the_future_waits_no_longer_than_others() {
        let mut delay = Delay::new(SECOND);
        let now = Instant::now();
        let future = Record { time_unix_nano: u64::MAX, ..record() };
        delay.push([future].into_iter().collect(), now, NOW);
        assert_eq!(delay.due(), Some(now + SECOND));
    }
}
