//! The header `Retry-After` (RFC 9110, section 10.2.3): a number of seconds, or a date.

use std::time::{Duration, SystemTime};

/// How long from `now` a backend asks to wait. A date that has passed is no wait. `None` if the value is neither.
pub(super) fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        assert_eq!(parse(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:57 GMT", now), Some(Duration::from_secs(20)));
        assert_eq!(parse("Sunday, 06-Nov-94 08:49:38 GMT", now), Some(Duration::from_secs(1)));
        assert_eq!(parse("Sun Nov  6 08:49:37 1994", now), Some(Duration::ZERO));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:36 GMT", now), Some(Duration::ZERO), "it has passed");
        for wrong in ["", "-1", "1.5", "soon", "99999999999999999999999"] {
            assert_eq!(parse(wrong, now), None, "{wrong:?}");
        }
    }
}
