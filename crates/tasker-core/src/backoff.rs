//! How long a failed attempt waits before the next.
//!
//! The wait after attempt `n` is the `n`-th entry of a table; past the table's end it is
//! `trunc(n ^ multiplier)`. It is capped, then spread by chance:
//!
//! ```text
//! n ≤ 0           0
//! n ≤ len(table)  table[n - 1]
//! otherwise       trunc(n ^ multiplier)
//! b = min(b, max)
//! jitter          r = round(b · percentage); b += a whole number in -r..=r; b = max(b, 1)
//! ```
//!
//! The spread is around the capped wait, so that many steps at the cap do not return at the same second;
//! it may exceed the cap by that percentage.

use rand::Rng;
use serde::{Deserialize, Serialize};

/// A backoff whose numbers make no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("invalid {field} {value}: {reason}")]
pub struct BackoffError {
    /// The setting's name, such as `max_backoff_seconds`.
    pub field: &'static str,
    /// The value given.
    pub value: String,
    /// What is allowed.
    pub reason: &'static str,
}

/// The rule of the wait between attempts. In settings its fields bear the names given with each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Settings", into = "Settings")]
pub struct Backoff {
    /// Seconds after the first, second, … attempt (`default_backoff_seconds`; 1, 2, 4, 8, 16, 32).
    pub table_seconds: Vec<u32>,
    /// The cap in seconds (`max_backoff_seconds`; 300).
    pub max_seconds: u32,
    /// The exponent past the table's end (`backoff_multiplier`; 2.0).
    pub multiplier: f64,
    /// Whether waits are spread by chance (`jitter_enabled`; true).
    pub jitter: bool,
    /// The largest deviation, as a fraction of the wait (`jitter_max_percentage`; 0.1 is ±10 %).
    pub jitter_max_percentage: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            table_seconds: vec![1, 2, 4, 8, 16, 32],
            max_seconds: 300,
            multiplier: 2.0,
            jitter: true,
            jitter_max_percentage: 0.1,
        }
    }
}

impl Backoff {
    /// The seconds to wait after attempt number `attempt`, which counts from 1.
    pub fn delay_seconds(&self, attempt: i64, rng: &mut impl Rng) -> u32 {
        let capped = self.base_seconds(attempt);
        if attempt <= 0 || !self.jitter {
            return capped;
        }
        let range = whole(f64::from(capped) * self.jitter_max_percentage.clamp(0.0, 1.0));
        let (low, high) = (capped.saturating_sub(range), capped.saturating_add(range));
        rng.random_range(low..=high).max(1)
    }

    /// The seconds to wait before chance is added.
    pub fn base_seconds(&self, attempt: i64) -> u32 {
        let Some(index) = attempt.checked_sub(1).and_then(|index| usize::try_from(index).ok()) else {
            return 0;
        };
        #[expect(clippy::cast_precision_loss, reason = "an attempt past 2^53 is beyond any cap")]
        let past_the_table = || whole((attempt as f64).powf(self.multiplier).trunc());
        let seconds = self.table_seconds.get(index).copied().unwrap_or_else(past_the_table);
        seconds.min(self.max_seconds)
    }

    /// Checks the ranges of all fields.
    ///
    /// # Errors
    /// [`BackoffError`] naming the first field whose value is out of range.
    pub fn validated(self) -> Result<Self, BackoffError> {
        let refuse = |field, value: String, reason| Err(BackoffError { field, value, reason });
        if self.max_seconds == 0 {
            return refuse("max_backoff_seconds", "0".to_owned(), "write a whole number of at least 1");
        }
        if !(0.01..=10.0).contains(&self.multiplier) {
            let reason = "write a number from 0.01 to 10";
            return refuse("backoff_multiplier", self.multiplier.to_string(), reason);
        }
        if !(0.0..=1.0).contains(&self.jitter_max_percentage) {
            let reason = "write a fraction from 0 to 1, such as 0.1 for 10 %";
            return refuse("jitter_max_percentage", self.jitter_max_percentage.to_string(), reason);
        }
        Ok(self)
    }
}

/// What a step's `retry` says about its waits; what it leaves out is the engine's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BackoffOverride {
    /// `backoff_seconds`.
    pub table_seconds: Option<Vec<u32>>,
    /// `max_backoff_seconds`.
    pub max_seconds: Option<u32>,
    /// `multiplier`.
    pub multiplier: Option<f64>,
    /// `jitter`.
    pub jitter: Option<bool>,
    /// `jitter_max_percentage`.
    pub jitter_max_percentage: Option<f64>,
}

impl BackoffOverride {
    /// `base` with what this override says in its place.
    pub fn over(&self, base: &Backoff) -> Backoff {
        Backoff {
            table_seconds: self.table_seconds.clone().unwrap_or_else(|| base.table_seconds.clone()),
            max_seconds: self.max_seconds.unwrap_or(base.max_seconds),
            multiplier: self.multiplier.unwrap_or(base.multiplier),
            jitter: self.jitter.unwrap_or(base.jitter),
            jitter_max_percentage: self.jitter_max_percentage.unwrap_or(base.jitter_max_percentage),
        }
    }
}

/// The words of the settings file.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    default_backoff_seconds: Vec<u32>,
    max_backoff_seconds: u32,
    backoff_multiplier: f64,
    jitter_enabled: bool,
    jitter_max_percentage: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Backoff::default().into()
    }
}

impl From<Backoff> for Settings {
    fn from(backoff: Backoff) -> Self {
        Self {
            default_backoff_seconds: backoff.table_seconds,
            max_backoff_seconds: backoff.max_seconds,
            backoff_multiplier: backoff.multiplier,
            jitter_enabled: backoff.jitter,
            jitter_max_percentage: backoff.jitter_max_percentage,
        }
    }
}

impl TryFrom<Settings> for Backoff {
    type Error = BackoffError;

    fn try_from(settings: Settings) -> Result<Self, BackoffError> {
        let backoff = Self {
            table_seconds: settings.default_backoff_seconds,
            max_seconds: settings.max_backoff_seconds,
            multiplier: settings.backoff_multiplier,
            jitter: settings.jitter_enabled,
            jitter_max_percentage: settings.jitter_max_percentage,
        };
        backoff.validated()
    }
}

/// The nearest whole number, half away from zero; negative numbers are 0, large ones `u32::MAX`.
fn whole(seconds: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates from a float"
    )]
    let rounded = seconds.round() as u32;
    rounded
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn draws(backoff: &Backoff, attempt: i64) -> Vec<u32> {
        let mut rng = StdRng::seed_from_u64(7);
        let mut draws: Vec<u32> = (0..2_000).map(|_| backoff.delay_seconds(attempt, &mut rng)).collect();
        draws.sort_unstable();
        draws.dedup();
        draws
    }

    fn without_jitter() -> Backoff {
        Backoff { jitter: false, ..Backoff::default() }
    }

    #[test]
    fn the_default_follows_the_table_and_then_the_square_of_the_attempt() {
        let attempts = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 17, 18, 100];
        let seconds = [0, 0, 1, 2, 4, 8, 16, 32, 49, 64, 100, 289, 300, 300];
        for (attempt, expected) in attempts.into_iter().zip(seconds) {
            assert_eq!(draws(&without_jitter(), attempt), [expected], "attempt {attempt}");
        }
        assert_eq!(draws(&without_jitter(), i64::MAX), [300]);
        assert_eq!(draws(&without_jitter(), i64::MIN), [0]);
    }

    #[test]
    fn the_wait_may_drop_past_the_table() {
        let backoff =
            Backoff { table_seconds: vec![5, 10], max_seconds: 60, multiplier: 1.5, ..without_jitter() };
        let waits: Vec<u32> = [1, 2, 3, 100].into_iter().map(|n| backoff.base_seconds(n)).collect();
        assert_eq!(waits, [5, 10, 5, 60]);
    }

    #[test]
    fn jitter_never_waits_less_than_a_second() {
        let backoff = Backoff { jitter_max_percentage: 0.5, ..Backoff::default() };
        assert_eq!(draws(&backoff, 1), [1, 2]);
    }

    #[test]
    fn jitter_spreads_over_all_whole_seconds_of_its_range() {
        assert_eq!(draws(&Backoff::default(), 6), [29, 30, 31, 32, 33, 34, 35]);
    }

    #[test]
    fn jitter_of_short_waits_rounds_to_none() {
        for (attempt, seconds) in [(1, 1), (2, 2), (3, 4)] {
            assert_eq!(draws(&Backoff::default(), attempt), [seconds]);
        }
    }

    #[test]
    fn without_jitter_every_draw_is_the_same() {
        assert_eq!(draws(&without_jitter(), 1), [1]);
    }

    #[test]
    fn no_attempt_waits_not_at_all_even_with_jitter() {
        assert_eq!(draws(&Backoff::default(), 0), [0]);
    }

    #[test]
    fn wrong_types_in_settings_are_refused() {
        for json in [
            r#"{"default_backoff_seconds": "1,2"}"#,
            r#"{"default_backoff_seconds": [1, 2.5]}"#,
            r#"{"default_backoff_seconds": [1, -2]}"#,
            r#"{"max_backoff_seconds": "300"}"#,
            r#"{"jitter_enabled": "yes"}"#,
            r#"{"backoff_seconds": [1]}"#,
        ] {
            assert!(serde_json::from_str::<Backoff>(json).is_err(), "{json}");
        }
        assert_eq!(serde_json::from_str::<Backoff>("{}").expect("all defaults"), Backoff::default());
    }

    #[test]
    fn a_value_out_of_range_is_refused_by_the_name_of_its_field() {
        let error = |json: &str| serde_json::from_str::<Backoff>(json).expect_err("refused").to_string();
        insta::assert_snapshot!(error(r#"{"max_backoff_seconds": 0}"#), @"invalid max_backoff_seconds 0: write a whole number of at least 1");
        insta::assert_snapshot!(error(r#"{"backoff_multiplier": -2.0}"#), @"invalid backoff_multiplier -2: write a number from 0.01 to 10");
        insta::assert_snapshot!(error(r#"{"jitter_max_percentage": 10}"#), @"invalid jitter_max_percentage 10: write a fraction from 0 to 1, such as 0.1 for 10 %");
        let nan = Backoff { multiplier: f64::NAN, ..Backoff::default() };
        assert!(nan.validated().is_err());
    }

    #[test]
    fn an_override_replaces_only_what_it_names() {
        let own = BackoffOverride { max_seconds: Some(9), jitter: Some(false), ..BackoffOverride::default() };
        assert_eq!(own.over(&Backoff::default()), Backoff { max_seconds: 9, ..without_jitter() });
    }
}
