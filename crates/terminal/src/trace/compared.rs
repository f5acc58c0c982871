//! What was shown beside the kernel's own count, in a sentence.

use std::ops::RangeInclusive;

use crate::kernel::{Held, hold};

/// Both counts, in segments.
pub(super) struct Compared {
    /// What was shown of the namespace, and what was shown of which the namespace is not known.
    pub(super) shown: (u64, u64),
    /// How much RetransSegs of the namespace grew. `None` if it could not be read.
    pub(super) kernel: Option<RangeInclusive<u64>>,
    /// What the kernel counts and was not shown, as a sentence.
    pub(super) left_out: Option<String>,
}

impl Compared {
    /// `RetransSegs of this network namespace, the kernel's own count, grew by 12: equal to what was shown of it.`
    pub(super) fn sentence(&self) -> String {
        let counter = "RetransSegs of this network namespace, the kernel's own count,";
        let Some(kernel) = &self.kernel else { return format!("{counter} could not be read.") };
        let (least, most) = (*kernel.start(), *kernel.end());
        let grew = if least == most { least.to_string() } else { format!("{least} to {most}") };
        if let Some(left_out) = &self.left_out {
            return format!("{counter} grew by {grew}. {left_out}");
        }
        let (here, anywhere) = self.shown;
        let of_it = match anywhere {
            0 => format!("{here} segments"),
            _ => format!("{here} segments, and {anywhere} in gaps of any namespace"),
        };
        let verdict = match hold(kernel, &(here..=here + anywhere)) {
            Held::Fewer(by) => format!("{by} fewer than shown"),
            Held::More(by) => format!("{by} more than shown"),
            Held::Equal => "equal".to_owned(),
        };
        format!("{counter} grew by {grew}. Shown of it: {of_it}. This is {verdict}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(shown: (u64, u64), kernel: Option<RangeInclusive<u64>>, left_out: Option<&str>) -> String {
        let sentence = Compared { shown, kernel, left_out: left_out.map(str::to_owned) }.sentence();
        let rest = sentence.strip_prefix("RetransSegs of this network namespace, the kernel's own count, ");
        rest.unwrap().to_owned()
    }

    #[test]
    fn both_counts_are_told_and_whether_they_are_equal() {
        assert_eq!(
            sentence((12, 0), Some(12..=12), None),
            "grew by 12. Shown of it: 12 segments. This is equal."
        );
        assert!(sentence((12, 0), Some(15..=15), None).ends_with("This is 3 more than shown."));
        assert!(sentence((12, 0), Some(10..=11), None).ends_with("This is 1 fewer than shown."));
        assert!(sentence((12, 0), Some(10..=14), None).starts_with("grew by 10 to 14. "));
        assert!(sentence((12, 0), Some(10..=14), None).ends_with(" equal."), "it is within what is known");
        assert_eq!(
            sentence((12, 5), Some(14..=14), None),
            "grew by 14. Shown of it: 12 segments, and 5 in gaps of any namespace. This is equal."
        );
    }

    #[test]
    fn what_is_not_the_same_is_not_compared() {
        let why = "It also counts what the conditions leave out.";
        assert_eq!(sentence((1, 0), Some(15..=15), Some(why)), format!("grew by 15. {why}"));
        assert_eq!(sentence((1, 0), None, Some(why)), "could not be read.");
    }
}
