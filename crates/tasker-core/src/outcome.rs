//! What a handler answers when an attempt ends.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::Timestamp;

/// The answer of a handler to one attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The work is done; the value is stored as the step's results.
    Done(Value),
    /// The attempt failed and may be made again, if attempts are left.
    Retry {
        /// What went wrong.
        failure: Failure,
        /// When to try again; `None` leaves it to the step's backoff.
        when: Option<When>,
    },
    /// The attempt failed and another would fail as well.
    Fail(Failure),
    /// Nothing went wrong, but it is not time yet: the step goes back to waiting and costs no attempt.
    Snooze(When),
}

/// A moment that a handler asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long after the attempt is settled, by the store's clock.
    After(Duration),
    /// At this time.
    At(Timestamp),
}

impl When {
    /// The point in time meant, if the present is `now`.
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::After(delay) => now.plus(delay),
            Self::At(time) => time,
        }
    }
}

/// What went wrong in an attempt. It is stored with the step and shown to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// What happened, for a person.
    pub message: String,
    /// A short stable code, such as `HTTP_404` or `EXIT_1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Further facts: response status, stderr tail, backtrace.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

impl Failure {
    /// A failure of `kind` with a message.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None, details: Value::Null }
    }

    /// The same failure with a short stable code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same failure with further facts.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

/// The kinds of failure that Tasker tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The handler said so, and another attempt may help.
    Retryable,
    /// The handler said so, and no attempt will help.
    Permanent,
    /// The handler panicked.
    Panic,
    /// The attempt took longer than the step's `timeout_seconds`.
    Timeout,
    /// The worker went away: its lease ran out and nobody renewed it.
    LeaseExpired,
    /// The step's configuration or template cannot be used.
    Configuration,
}
