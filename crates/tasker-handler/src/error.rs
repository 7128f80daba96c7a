//! What a typed handler answers when it could not do its work.

use std::error::Error;
use std::fmt::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, Outcome, Timestamp, When};

/// Why an attempt failed, and whether another may help.
///
/// Every [`std::error::Error`] becomes one by `?`, as a failure that may be retried; its message is that of the
/// error and of its sources.
///
/// ```
/// use std::time::Duration;
/// use tasker_handler::HandlerError;
///
/// fn charge(amount: &str) -> Result<u32, HandlerError> {
///     let amount: u32 = amount.parse()?; // retried after the step's backoff
///     match amount {
///         0 => Err(HandlerError::permanent("there is nothing to charge").code("NOTHING_TO_CHARGE")),
///         1..=99 => Err(HandlerError::retryable("the till is closed").retry_after(Duration::from_secs(60))),
///         _ => Ok(amount),
///     }
/// }
/// # assert!(charge("0").is_err() && charge("7").is_err() && charge("many").is_err());
/// ```
pub struct HandlerError {
    failure: Failure,
    next: Next,
}

/// Whether and when another attempt is to be made.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// After the wait that the step's retry policy gives.
    Backoff,
    /// Then.
    At(When),
    /// No other attempt would help.
    Never,
}

impl HandlerError {
    /// A failure after which another attempt may help.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self { failure: Failure::new(FailureKind::Retryable, message), next: Next::Backoff }
    }

    /// A failure after which no other attempt would help.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { failure: Failure::new(FailureKind::Permanent, message), next: Next::Never }
    }

    /// The same failure, retryable, with the next attempt after `delay` instead of the step's backoff.
    #[must_use]
    pub fn retry_after(self, delay: Duration) -> Self {
        self.retried(When::After(delay))
    }

    /// The same failure, retryable, with the next attempt at `time` instead of after the step's backoff.
    #[must_use]
    pub fn retry_at(self, time: Timestamp) -> Self {
        self.retried(When::At(time))
    }

    /// The same failure with a short stable code, such as `CARD_DECLINED`.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.failure = self.failure.with_code(code);
        self
    }

    /// The same failure with further facts.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.failure = self.failure.with_details(details);
        self
    }

    fn retried(mut self, when: When) -> Self {
        self.failure.kind = FailureKind::Retryable;
        self.next = Next::At(when);
        self
    }
}

impl<E: Error> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            // Writing to a string does not fail.
            let _ = write!(message, ": {cause}");
            source = cause.source();
        }
        Self::retryable(message).details(json!({ "error_class": std::any::type_name::<E>() }))
    }
}

impl From<HandlerError> for Outcome {
    fn from(error: HandlerError) -> Self {
        let failure = error.failure;
        match error.next {
            Next::Backoff => Self::Retry { failure, when: None },
            Next::At(when) => Self::Retry { failure, when: Some(when) },
            Next::Never => Self::Fail(failure),
        }
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failure.message)
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerError").field("failure", &self.failure).field("next", &self.next).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the ledger")]
    struct Ledger(#[source] std::num::ParseIntError);

    #[test]
    fn any_error_becomes_a_retryable_failure_that_tells_its_sources() {
        let source = "x".parse::<u32>().expect_err("not a number");
        let outcome = Outcome::from(HandlerError::from(Ledger(source)));
        let Outcome::Retry { failure, when: None } = outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.kind, FailureKind::Retryable);
        assert_eq!(failure.message, "cannot read the ledger: invalid digit found in string");
        assert!(failure.details["error_class"].as_str().is_some_and(|name| name.ends_with("Ledger")));
    }

    #[test]
    fn asking_for_a_time_makes_a_failure_retryable() {
        let error = HandlerError::permanent("closed").retry_after(Duration::from_secs(9)).code("CLOSED");
        let Outcome::Retry { failure, when } = Outcome::from(error) else { panic!("not retryable") };
        assert_eq!((failure.kind, failure.code.as_deref()), (FailureKind::Retryable, Some("CLOSED")));
        assert_eq!(when, Some(When::After(Duration::from_secs(9))));
    }
}
