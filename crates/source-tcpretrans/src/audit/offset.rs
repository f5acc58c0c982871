//! By how much RetransSegs of a namespace is ahead of what was told: bounds that hold whatever happens between the readings.
//!
//! Both numbers only grow, and the kernel counts a segment a little before it is told. The offset between them stays the
//! same while nothing is missed. It is what the namespace had sent again before the session began.

use std::cmp::Ordering;

/// Bounds of an offset, both included, in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offset {
    lowest: i64,
    highest: i64,
}

/// Three readings, in this order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readings {
    /// What was told, read before RetransSegs.
    pub(crate) told_before: u64,
    pub(crate) retrans_segs: u64,
    /// What was told, read when all that RetransSegs had was told.
    pub(crate) told_after: u64,
}

impl Offset {
    /// What the readings show. Where nothing was told between them, both bounds are the same.
    pub(crate) fn of(readings: Readings) -> Offset {
        let Readings { told_before, retrans_segs, told_after } = readings;
        let ahead_of = |told: u64| retrans_segs as i64 - told as i64;
        Offset { lowest: ahead_of(told_after), highest: ahead_of(told_before) }
    }

    /// What both know. `None` if they contradict each other.
    pub(crate) fn and(self, other: Offset) -> Option<Offset> {
        let both = Offset { lowest: self.lowest.max(other.lowest), highest: self.highest.min(other.highest) };
        (both.lowest <= both.highest).then_some(both)
    }

    pub(crate) fn is_exact(self) -> bool {
        self.lowest == self.highest
    }

    /// By how many segments, at least, this offset is above an earlier one: they are in RetransSegs and were not told.
    /// Below 0: so many were told and are not in RetransSegs. 0 if both may be the same.
    pub(crate) fn above(self, earlier: Offset) -> i64 {
        match (self.lowest.cmp(&earlier.highest), self.highest.cmp(&earlier.lowest)) {
            (Ordering::Greater, _) => self.lowest - earlier.highest,
            (_, Ordering::Less) => self.highest - earlier.lowest,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    //! What readings show, in quiet and in a storm.

    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn offset(told_before: u64, retrans_segs: u64, told_after: u64) -> Offset {
        Offset::of(Readings { told_before, retrans_segs, told_after })
    }

    #[test]
    fn in_quiet_the_offset_is_exact_and_stays() {
        let base = offset(0, 40, 0);
        assert!(base.is_exact());
        let later = offset(17, 57, 17);
        assert_eq!((later.above(base), later.and(base)), (0, Some(base)));
    }

    #[test]
    fn what_was_not_told_is_above_and_what_was_told_too_much_is_below() {
        let base = offset(100, 140, 100);
        assert_eq!(offset(200, 243, 200).above(base), 3);
        assert_eq!(offset(207, 240, 207).above(base), -7);
        assert_eq!(offset(200, 243, 200).and(base), None);
    }

    #[test]
    fn in_a_storm_two_readings_know_more_than_one() {
        let (first, second) = (offset(100, 145, 120), offset(200, 240, 230));
        assert!(!first.is_exact() && !second.is_exact());
        assert_eq!(first.and(second), Some(Offset { lowest: 25, highest: 40 }));
        assert_eq!(first.above(second), 0);
        // Above what is possible, by one.
        assert_eq!(offset(300, 346, 300).above(first.and(second).unwrap()), 6);
    }

    proptest! {
        /// However segments come between the readings, and however late they are told: while nothing is missed there is
        /// no difference.
        #[test]
        fn while_all_is_told_there_is_no_difference(
            before in 0..1000_u64,
            storms in proptest::collection::vec([0..50_u64, 0..50, 0..50], 1..20),
        ) {
            let (mut told, mut base) = (0, None);
            for [before_mib, untold, after] in storms {
                let told_before = told;
                // RetransSegs has `untold` segments more than were told at that moment.
                let retrans_segs = before + told + before_mib + untold;
                told += before_mib + untold + after;
                let now = offset(told_before, retrans_segs, told);
                let known = base.unwrap_or(now);
                prop_assert_eq!(now.above(known), 0);
                base = Some(now.and(known).unwrap());
            }
        }

        /// In quiet, as many as were missed.
        #[test]
        fn what_is_missed_is_the_difference(told in 0..1000_u64, missed in 1..1000_u64) {
            let base = offset(5, 12, 5);
            prop_assert_eq!(offset(told, told + 7 + missed, told).above(base), missed as i64);
        }
    }
}
