//! Sizes in bytes as they are written in configurations.

use std::fmt;

use bytesize::ByteSize;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_with::SerializeDisplay;

/// A size in bytes, written `64MiB`, `512KiB` or as a plain number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, SerializeDisplay)]
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

/// Writes the exact size, in the largest unit that needs no fraction. `ByteSize` itself would round.
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

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size, such as 64MiB or 512KiB")
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size::of_bytes(bytes))
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
        let size = u64::try_from(bytes).map(Size::of_bytes);
        size.map_err(|_| E::invalid_value(Unexpected::Signed(bytes), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        text.parse().map(Size).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
    fn a_wrong_size_is_refused_and_the_error_says_what_is_expected() {
        for yaml in ["-1", "true", "much", "1.5", "[1]"] {
            let error = serde_yaml::from_str::<Size>(yaml).unwrap_err().to_string();
            assert!(error.contains("expected a size, such as 64MiB or 512KiB"), "{yaml}: {error}");
        }
    }
}
