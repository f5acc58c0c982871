//! The kernel's own count held against what was counted. Both are known within bounds.

use std::ops::RangeInclusive;

/// What the kernel's count proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// One number is within the bounds of both.
    Equal,
    /// The kernel counted so many fewer, at least.
    Fewer(u64),
    /// The kernel counted so many more, at least.
    More(u64),
}

/// Holds the kernel's count against ours.
pub(crate) fn hold(kernel: &RangeInclusive<u64>, ours: &RangeInclusive<u64>) -> Held {
    if kernel.end() < ours.start() {
        Held::Fewer(ours.start() - kernel.end())
    } else if kernel.start() > ours.end() {
        Held::More(kernel.start() - ours.end())
    } else {
        Held::Equal
    }
}
