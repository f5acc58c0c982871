//! What the components' configurations have in common.
//!
//! Each component owns a `Config` that derives `Serialize` and `Deserialize`, denies unknown fields, fills in its
//! own defaults, and has `validate`, which finds what types can't.

use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use serde::Deserialize;
use serde_with::SerializeDisplay;

/// Something wrong with a component's configuration that its types can't express.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path of the key below the component, `tls.ca_file`; empty for the component itself.
    pub path: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl Problem {
    /// A problem at `path`.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { path: path.into(), message: message.into() }
    }

    /// Problems of what stands under `key`, seen from the section that holds it.
    pub fn below(key: &str, problems: Vec<Problem>) -> Vec<Problem> {
        let seen = |problem: Problem| match problem.path.is_empty() {
            true => Problem { path: key.to_owned(), ..problem },
            false => Problem { path: format!("{key}.{}", problem.path), ..problem },
        };
        problems.into_iter().map(seen).collect()
    }
}

/// A size in bytes, written `64MiB`, `512KiB` or as a plain number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, SerializeDisplay, Deserialize)]
#[serde(transparent)]
pub struct Size(pub ByteSize);

impl Size {
    /// A number of bytes.
    pub const fn of_bytes(bytes: u64) -> Self {
        Size(ByteSize::b(bytes))
    }

    /// A number of MiB.
    pub const fn mib(mib: u64) -> Self {
        Size(ByteSize::mib(mib))
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0.0
    }
}

/// Exact, in the largest unit that needs no fraction; `ByteSize` itself would round.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes();
        let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        match units.into_iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit)) {
            Some((name, unit)) => write!(f, "{}{name}", bytes / unit),
            None => write!(f, "{bytes}B"),
        }
    }
}

/// A time that has to pass, if it is one.
///
/// # Errors
/// It is none at all, or so short that waiting for it would keep a CPU busy, or so long that a clock can't add it.
pub fn fit(time: Duration) -> Result<Duration, &'static str> {
    const SHORTEST: Duration = Duration::from_millis(1);
    const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    match (SHORTEST..=LONGEST).contains(&time) {
        true => Ok(time),
        false => Err("expected a time from 1ms to a year"),
    }
}

/// The candidate nearest to a mistyped `word`; `None` where none is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Below it, suggestions are guesses: `foo` is no misspelt `batch`.
    const NEAR: f64 = 0.75;
    let word = word.to_lowercase(); // as nearly all candidates are
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytesize::ByteSize;

    use super::{Size, nearest};

    #[test]
    fn sizes_round_trip_exactly() {
        for (bytes, written) in [
            (0, "0B"),
            (1023, "1023B"),
            (1 << 10, "1KiB"),
            (1_100_000, "1100000B"),
            (64 << 20, "64MiB"),
            (1 << 30, "1GiB"),
            ((1 << 30) + (1 << 20), "1025MiB"),
        ] {
            let size = Size(ByteSize::b(bytes));
            assert_eq!(serde_yaml::to_string(&size).unwrap().trim(), written);
            assert_eq!(serde_yaml::from_str::<Size>(written).unwrap(), size);
            assert_eq!(serde_yaml::from_str::<Size>(&bytes.to_string()).unwrap(), size, "a plain number");
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let known = ["filter", "batch", "aggregate"];
        assert_eq!(nearest("bacth", known), Some("batch"));
        assert_eq!(nearest("agregate", known), Some("aggregate"));
        assert_eq!(nearest("BATCH", known), Some("batch"));
        assert_eq!(nearest("otlp", known), None);
        assert_eq!(nearest("", known), None);
    }
}
