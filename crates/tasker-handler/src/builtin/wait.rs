//! `wait`: done when a time has come, without holding a worker until then.
//!
//! A wait is a snooze, which the store remembers: workers may come and go meanwhile. What must not depend on the
//! worker is *until when*. With `until` that is in the configuration. With a duration it counts from the claim of the
//! first attempt, or of the first one since somebody asked for a retry; that claim is in the step's history, which
//! outlives workers, lost leases and retries. An attempt that was lost before it could snooze does not wait longer
//! for it, and one that comes early snoozes again.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tasker_core::{Outcome, Timestamp, When};
use tasker_store::{Cause, Transition};

use crate::config::{Config, Misconfigured, Shape};
use crate::context::StepContext;
use crate::handler::{InputNeed, StepHandler};

pub(super) const FIELDS: &[(&str, Shape)] =
    &[("seconds", Shape::Seconds), ("duration", Shape::Text), ("until", Shape::Text)];

/// `wait`: done when a time has come.
///
/// The configuration has one of `seconds` (a number), `duration` (`90s`, `5m`, `1h30m`, `2d`, `250ms`) and `until` (an
/// RFC 3339 time). A duration counts from when the step is first claimed. Results: `{"until": …}`.
#[derive(Debug, Clone, Copy, Default)]
pub struct WaitHandler;

#[async_trait]
impl StepHandler for WaitHandler {
    async fn run(&self, step: &StepContext) -> Outcome {
        match due(step) {
            Ok(due) if due <= step.now() => Outcome::Done(json!({ "until": due })),
            Ok(due) => Outcome::Snooze(When::At(due)),
            Err(error) => error.into(),
        }
    }

    fn wants_inputs(&self) -> InputNeed {
        InputNeed::History
    }
}

/// When the wait is over.
fn due(step: &StepContext) -> Result<Timestamp, Misconfigured> {
    let config = Config::of(step.config())?;
    let given: Vec<&str> =
        FIELDS.iter().map(|(field, _)| *field).filter(|field| config.value(field).is_some()).collect();
    match given[..] {
        ["seconds"] => {
            let seconds = config.seconds("seconds")?.unwrap_or_default();
            Ok(began(step).plus(seconds))
        }
        ["duration"] => {
            let text = config.required_text("duration", "")?;
            let duration = duration(text).ok_or_else(|| {
                let expected = "a duration such as 90s, 5m or 1h30m";
                config.wrong("duration", expected, &Value::from(text))
            })?;
            Ok(began(step).plus(duration))
        }
        ["until"] => {
            let text = config.required_text("until", "")?;
            text.parse().map_err(|_| {
                let expected = "a time such as 2027-01-31T08:00:00Z";
                config.wrong("until", expected, &Value::from(text))
            })
        }
        [] => Err(Misconfigured(
            "handler_config names no time to wait for; write seconds, duration or until".into(),
        )),
        _ => Err(Misconfigured(format!("handler_config has {}; write one of them", given.join(" and ")))),
    }
}

/// When the step was first claimed since it was made, or since somebody asked for a retry.
fn began(step: &StepContext) -> Timestamp {
    let past = step.history();
    let since = past.iter().rposition(|transition| transition.cause == Cause::RetryRequested).unwrap_or(0);
    let is_claim = |transition: &&Transition| transition.cause == Cause::Claimed;
    past[since..].iter().find(is_claim).map_or_else(|| step.claimed_at(), |claim| claim.at)
}

/// Reads numbers with units, such as `1h30m`.
fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let millis = match &rest[..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
        rest = &rest[end..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use tasker_core::State;

    use super::*;
    use crate::testing::TestStep;

    fn failure(config: Value) -> String {
        match due(&TestStep::new().config(config).build()) {
            Err(error) => error.0,
            Ok(due) => panic!("waits until {due}"),
        }
    }

    fn past(at: Timestamp, causes: &[Cause]) -> Vec<Transition> {
        let step = TestStep::new().build();
        let seconds = (0..).map(|index| at.plus(Duration::from_secs(index)));
        let transition = |(cause, at): (&Cause, Timestamp)| Transition {
            seq: 0,
            task: step.task_id(),
            step: Some(step.step_id()),
            attempt: None,
            from: None,
            to: State::Pending,
            cause: *cause,
            at,
            by: None,
            details: Value::Null,
        };
        causes.iter().zip(seconds).map(transition).collect()
    }

    #[test]
    fn durations_are_numbers_with_units() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs_f64());
        for (text, expected) in [
            ("90s", Some(90.0)),
            ("5m", Some(300.0)),
            ("1h30m", Some(5_400.0)),
            ("2d", Some(172_800.0)),
            ("250ms", Some(0.25)),
            (" 0s ", Some(0.0)),
            ("", None),
            ("5", None),
            ("m", None),
            ("5 m", None),
            ("5w", None),
            ("-5s", None),
            ("1.5h", None),
            ("99999999999999999999s", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_attempt_snoozes_and_the_next_is_done() {
        let step = TestStep::new().config(json!({ "duration": "1m" })).build();
        let due = step.now().plus(Duration::from_mins(1));
        assert_eq!(WaitHandler.run(&step).await, Outcome::Snooze(When::At(due)));

        let claimed = past(step.now(), &[Cause::Claimed, Cause::Snoozed]);
        let next =
            || TestStep::new().attempt(2).config(json!({ "seconds": 60 })).history(claimed.clone()).build();
        let early = next();
        assert_eq!(WaitHandler.run(&early).await, Outcome::Snooze(When::At(due)));
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(WaitHandler.run(&early).await, Outcome::Done(json!({ "until": due })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_attempt_does_not_make_the_wait_longer() {
        let start = TestStep::new().build().now();
        let lost = past(start, &[Cause::Claimed, Cause::LeaseExpired, Cause::RetryDue, Cause::Claimed]);
        let step = TestStep::new().attempt(2).config(json!({ "seconds": 60 })).history(lost).build();
        assert_eq!(
            WaitHandler.run(&step).await,
            Outcome::Snooze(When::At(start.plus(Duration::from_mins(1))))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_requested_retry_waits_anew() {
        let start = TestStep::new().build().now();
        let retried = past(start, &[Cause::Claimed, Cause::Failed, Cause::RetryRequested, Cause::Claimed]);
        let step = TestStep::new().attempt(2).config(json!({ "seconds": 60 })).history(retried).build();
        assert_eq!(
            WaitHandler.run(&step).await,
            Outcome::Snooze(When::At(start.plus(Duration::from_secs(63))))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_that_has_passed_is_not_waited_for() {
        let step = TestStep::new().config(json!({ "until": "2026-01-01T00:00:00Z" })).build();
        let until = json!({ "until": "2026-01-01T00:00:00.000000Z" });
        assert_eq!(WaitHandler.run(&step).await, Outcome::Done(until));
    }

    #[test]
    fn a_wait_for_nothing_is_a_configuration_failure() {
        assert_eq!(
            failure(Value::Null),
            "handler_config names no time to wait for; write seconds, duration or until"
        );
        assert_eq!(
            failure(json!({ "seconds": 1, "until": "2027-01-01T00:00:00Z" })),
            "handler_config has seconds and until; write one of them"
        );
        assert_eq!(
            failure(json!({ "duration": "soon" })),
            "handler_config.duration: expected a duration such as 90s, 5m or 1h30m, found \"soon\""
        );
        assert_eq!(
            failure(json!({ "until": "tomorrow" })),
            "handler_config.until: expected a time such as 2027-01-31T08:00:00Z, found \"tomorrow\""
        );
    }
}
