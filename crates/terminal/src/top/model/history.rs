//! The segments of each second of the last minute.

/// Number of seconds that are kept.
pub(crate) const SECONDS: usize = 60;
/// Number of whole seconds of which a rate is the mean.
pub(crate) const AVERAGED: u64 = 5;

/// The segments of each of the last seconds.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// The latest second that has segments, since the Unix epoch.
    newest: u64,
    /// By second, modulo the number of seconds that are kept.
    counts: [u32; SECONDS],
}

impl Default for History {
    fn default() -> Self {
        History { newest: 0, counts: [0; SECONDS] }
    }
}

impl History {
    /// Adds segments of a second. Those of a second that is too old are left out.
    pub(crate) fn add(&mut self, second: u64, segments: u64) {
        if second > self.newest {
            let passed = (second - self.newest).min(SECONDS as u64);
            for empty in second + 1 - passed..=second {
                self.counts[index(empty)] = 0;
            }
            self.newest = second;
        }
        if self.is_kept(second) {
            let count = &mut self.counts[index(second)];
            *count = count.saturating_add(u32::try_from(segments).unwrap_or(u32::MAX));
        }
    }

    /// Adds what another history has.
    pub(crate) fn add_all(&mut self, other: &History) {
        for second in (other.newest + 1).saturating_sub(SECONDS as u64)..=other.newest {
            match other.at(second) {
                0 => {}
                segments => self.add(second, segments),
            }
        }
    }

    /// The segments of a second.
    pub(crate) fn at(&self, second: u64) -> u64 {
        if second <= self.newest && self.is_kept(second) { self.counts[index(second)].into() } else { 0 }
    }

    /// Segments per second: the mean of the last whole seconds before `now`.
    pub(crate) fn rate(&self, now: u64) -> f64 {
        let segments: u64 = (now.saturating_sub(AVERAGED)..now).map(|second| self.at(second)).sum();
        segments as f64 / AVERAGED as f64
    }

    /// The last minute before `now` in `parts` parts, the oldest first: the segments of each. The number of parts divides
    /// the number of seconds.
    pub(crate) fn parts(&self, now: u64, parts: usize) -> impl Iterator<Item = u64> {
        let length = (SECONDS / parts.clamp(1, SECONDS)) as u64;
        let begin = now.saturating_sub(SECONDS as u64);
        let starts = (0..parts as u64).map(move |part| begin + part * length);
        starts.map(move |start| (start..start + length).map(|second| self.at(second)).sum())
    }

    fn is_kept(&self, second: u64) -> bool {
        second + SECONDS as u64 > self.newest
    }
}

fn index(second: u64) -> usize {
    (second % SECONDS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14.
    const NOW: u64 = 1_700_000_000;

    #[test]
    fn a_rate_is_the_mean_of_the_last_whole_seconds() {
        let mut history = History::default();
        history.add(NOW - 6, 1000);
        history.add(NOW - 5, 10);
        history.add(NOW - 1, 40);
        history.add(NOW, 1000);
        assert_eq!(history.rate(NOW), 10.0);
        assert_eq!(history.rate(NOW + 1), 208.0);
        assert_eq!(history.rate(NOW + 60), 0.0);
    }

    #[test]
    fn a_second_is_forgotten_after_a_minute() {
        let mut history = History::default();
        for second in 0..200 {
            history.add(NOW + second, second);
            history.add(NOW + second - 60, 5);
        }
        assert_eq!((history.at(NOW + 199), history.at(NOW + 140), history.at(NOW + 139)), (199, 140, 0));
        history.add(NOW + 259, 1);
        assert_eq!((history.at(NOW + 199), history.at(NOW + 200), history.at(NOW + 259)), (0, 0, 1));
    }

    #[test]
    fn parts_have_all_segments_of_the_minute() {
        let mut history = History::default();
        for second in 1..=60 {
            history.add(NOW - second, second);
        }
        for parts in [1, 10, 20, 30, 60] {
            assert_eq!(history.parts(NOW, parts).count(), parts);
            assert_eq!(history.parts(NOW, parts).sum::<u64>(), 60 * 61 / 2);
        }
        assert_eq!(history.parts(NOW, 30).next(), Some(60 + 59));
    }

    #[test]
    fn histories_are_added_second_by_second() {
        let (mut one, mut other) = (History::default(), History::default());
        one.add(NOW, 1);
        other.add(NOW - 3, 2);
        other.add(NOW + 4, 4);
        one.add_all(&other);
        assert_eq!([NOW - 3, NOW, NOW + 4].map(|second| one.at(second)), [2, 1, 4]);
    }
}
