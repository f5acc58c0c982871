//! Numbers as people read them.

use otel_tcpretrans_pipeline::text::grouped;

/// A whole number in at most `width` columns, of which there are 8 at least. If it is too long, in thousands or more.
pub(crate) fn fitted(number: u64, width: u16) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    let (mut value, mut text) = (number, String::new());
    for unit in UNITS {
        text = format!("{}{unit}", grouped(value));
        if text.len() <= width.into() {
            break;
        }
        value /= 1000;
    }
    text
}

/// Something per second, in at most 7 columns.
pub(crate) fn rate(per_second: f64) -> String {
    let digits = usize::from(per_second < 10_000.0);
    format!("{per_second:.digits$}")
}

/// Bytes in at most 6 characters: `999`, `1.5K`, `23M`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    let (mut value, mut unit) = (number as f64, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 9.95);
    format!("{value:.digits$}{}", UNITS[unit])
}

/// A part of a whole: `12.3%`. There is none of nothing.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    format!("{:.1}%", part as f64 * 100.0 / whole as f64)
}

/// A time in seconds: `1:02:03`.
pub(crate) fn clock(seconds: u64) -> String {
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_clear() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 999, 1000, 10_240, 1 << 30, u64::MAX].map(bytes),
            ["0", "999", "1.0K", "10K", "1.0G", "16E"]
        );
        assert_eq!([share(1, 3), share(0, 0), share(5, 5)], ["33.3%", "", "100.0%"]);
        assert_eq!([9_999_999, 12_345_678].map(|number| fitted(number, 9)), ["9,999,999", "12,345K"]);
        assert!(fitted(u64::MAX, 8).len() <= 8);
        assert_eq!([0.0, 9999.5, 123_456.7].map(rate), ["0.0", "9999.5", "123457"]);
        assert_eq!(clock(3723), "1:02:03");
    }
}
