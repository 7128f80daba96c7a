//! The `Retry-After` header (RFC 9110, section 10.2.3): a number of seconds, or a date.

use std::time::{Duration, UNIX_EPOCH};

use tasker_core::Timestamp;

/// How long a server asks to be left alone: never less than a second for a date. `None` if it makes no sense.
pub(super) fn delay(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) {
        // More digits than fit mean longer than anyone waits.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let since_epoch = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    let wait = Timestamp::from_micros(0).plus(since_epoch).since(now);
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Some(Duration::from_secs(whole.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood() {
        let now = Timestamp::from_micros(1_790_000_000_500_000); // 2026-09-21 14:13:20.5
        let seconds = |value| delay(value, now).map(|delay| delay.as_secs());
        assert_eq!(seconds("30"), Some(30));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("99999999999999999999999"), Some(u64::MAX));
        assert_eq!(seconds("Mon, 21 Sep 2026 14:14:20 GMT"), Some(60));
        assert_eq!(seconds("Mon, 21 Sep 2026 14:00:00 GMT"), Some(1));
        for garbage in ["", "soon", "-5", "1.5", "30s", "Mon, 99 Sep"] {
            assert_eq!(seconds(garbage), None, "{garbage}");
        }
    }
}
