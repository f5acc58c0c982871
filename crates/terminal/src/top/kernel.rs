//! The kernel's own count of this network namespace, which the records are held against.

use std::io;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use crate::kernel::{Held, hold};
use crate::top::view::{Compared, Verdict};

/// So long after a change of the kernel's count, records of it may still be on their way.
const ON_THE_WAY: Duration = Duration::from_secs(2);

/// Reads RetransSegs of this process's network namespace.
pub type ReadCounter = Box<dyn Fn() -> io::Result<u64> + Send>;

/// The kernel's RetransSegs, since the receiver started.
pub(crate) struct KernelCount {
    read: ReadCounter,
    /// The count before and after the receiver started. It counted what came between them in part.
    started: (u64, u64),
    /// The latest count, and when it was seen to change.
    latest: (u64, Instant),
}

impl KernelCount {
    /// Begins. `before` is the count before the receiver started. Call this when it has started.
    pub(crate) fn begin(read: ReadCounter, before: u64) -> io::Result<KernelCount> {
        let after = read()?;
        Ok(KernelCount { read, started: (before, after), latest: (after, Instant::now()) })
    }

    /// Holds the count against ours. Ours must have been read before this call. `placeless` are segments of gaps, which may
    /// be of this namespace or of another.
    pub(crate) fn compare(&mut self, counted: u64, placeless: u64) -> io::Result<Compared> {
        let (now, at) = ((self.read)()?, Instant::now());
        if now != self.latest.0 {
            self.latest = (now, at);
        }
        let is_still = at.duration_since(self.latest.1) > ON_THE_WAY;
        let (before, after) = self.started;
        let kernel = now.saturating_sub(after)..=now.saturating_sub(before);
        let verdict = judge(&kernel, &(counted..=counted + placeless), is_still);
        Ok(Compared { kernel: *kernel.end(), counted, verdict })
    }
}

fn judge(kernel: &RangeInclusive<u64>, ours: &RangeInclusive<u64>, is_still: bool) -> Verdict {
    match (hold(kernel, ours), is_still) {
        (Held::Equal, _) => Verdict::Equal,
        (Held::Fewer(_) | Held::More(_), false) => Verdict::OnTheWay,
        (Held::Fewer(_) | Held::More(_), true) => Verdict::Different,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_equal_within_what_is_known() {
        assert_eq!(judge(&(10..=10), &(10..=10), true), Verdict::Equal);
        assert_eq!(judge(&(10..=10), &(9..=9), true), Verdict::Different);
        assert_eq!(judge(&(10..=10), &(9..=9), false), Verdict::OnTheWay);
        assert_eq!(judge(&(10..=10), &(11..=11), true), Verdict::Different);
        assert_eq!(judge(&(8..=10), &(9..=9), true), Verdict::Equal, "two came while the receiver started");
        assert_eq!(judge(&(10..=10), &(7..=12), true), Verdict::Equal, "five are in gaps");
    }

    #[test]
    fn the_count_begins_when_the_receiver_starts() {
        let mut kernel = KernelCount::begin(Box::new(|| Ok(107)), 105).unwrap();
        let compared = kernel.compare(1, 0).unwrap();
        assert_eq!(compared, Compared { kernel: 2, counted: 1, verdict: Verdict::Equal });
    }
}
