//! The `Retry-After` header (RFC 9110, section 10.2.3): a number of seconds, or a date.

use std::time::{Duration, UNIX_EPOCH};

use tasker_core::Timestamp;

/// How long a receiver asks to be left alone; `None` if the value makes no sense.
pub(super) fn pause(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit mean longer than anyone waits.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let date = Timestamp::from_micros(0).plus(date.duration_since(UNIX_EPOCH).unwrap_or_default());
    Some(date.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_nothing_else() {
        let now = Timestamp::from_micros(1_790_000_000_500_000); // 2026-09-21 14:13:20.5
        let seconds = |value| pause(value, now).map(|pause| pause.as_secs_f64());
        assert_eq!(seconds(" 30 "), Some(30.0));
        assert_eq!(seconds("Mon, 21 Sep 2026 14:14:20 GMT"), Some(59.5));
        assert_eq!(seconds("Mon, 21 Sep 2026 14:00:00 GMT"), Some(0.0));
        assert_eq!(pause("99999999999999999999999", now), Some(Duration::from_secs(u64::MAX)));
        for garbage in ["", "soon", "-5", "1.5", "30s", "Mon, 99 Sep"] {
            assert_eq!(seconds(garbage), None, "{garbage}");
        }
    }
}
