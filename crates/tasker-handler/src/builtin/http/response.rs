//! What comes back, and what it means.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, Outcome, When};

use super::masking::storable;
use super::retry_after;
use super::seconds;
use crate::context::StepContext;

/// So much of the body of a refusal is kept.
const KEPT_OF_REFUSAL: usize = 4 * 1024;

/// The answer of a server.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    /// Whether the body went on after what was read.
    is_cut: bool,
}

/// What a call does not go beyond.
pub(super) struct Limits {
    /// The longest body.
    pub(super) bytes: u64,
    /// Whether the step waits where the server does not say how long.
    pub(super) backs_off: bool,
}

impl Answer {
    /// Reads the body up to a limit.
    pub(super) async fn read(mut response: Response, limit: u64) -> Result<Self, reqwest::Error> {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut body = Vec::new();
        let mut is_cut = false;
        while let Some(chunk) = response.chunk().await? {
            let room = limit - body.len();
            if chunk.len() > room {
                body.extend_from_slice(&chunk[..room]);
                is_cut = true;
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, headers, body, is_cut })
    }

    /// What the answer means for the step. `shown` names the call in messages.
    pub(super) fn outcome(self, shown: &str, step: &StepContext, limits: &Limits) -> Outcome {
        match self.status.as_u16() {
            200..=226 if self.is_cut => {
                let limit = limits.bytes;
                let message = format!(
                    "{shown} answered {} with more than {limit} bytes; raise handler_config.max_body_bytes, \
                     or let the service keep the result and answer with its address",
                    self.status
                );
                Outcome::Fail(self.failure(FailureKind::Permanent, message).with_code("HTTP_BODY_TOO_LARGE"))
            }
            200..=226 => {
                let body = self.body();
                Outcome::Done(json!({
                    "status": self.status.as_u16(), "headers": storable(&self.headers), "body": body,
                }))
            }
            400 | 401 | 403 | 404 | 422 => Outcome::Fail(self.refusal(FailureKind::Permanent, shown)),
            429 | 503 => {
                let when = self.wait(step, limits);
                Outcome::Retry { failure: self.refusal(FailureKind::Retryable, shown), when }
            }
            _ => Outcome::Retry { failure: self.refusal(FailureKind::Retryable, shown), when: None },
        }
    }

    /// How long to leave the server alone.
    fn wait(&self, step: &StepContext, limits: &Limits) -> Option<When> {
        let backoff = step.backoff();
        let asked = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let asked = asked.and_then(|value| retry_after::delay(value, step.now()));
        let longest = Duration::from_secs(backoff.max_seconds.into());
        let own = || Duration::from_secs(backoff.base_seconds(step.attempt().into()).into());
        let delay = asked.map(|delay| delay.min(longest)).or_else(|| limits.backs_off.then(own));
        delay.map(When::After)
    }

    fn refusal(&self, kind: FailureKind, shown: &str) -> Failure {
        self.failure(kind, format!("{shown} answered {}", self.status))
            .with_code(format!("HTTP_{}", self.status.as_u16()))
    }

    fn failure(&self, kind: FailureKind, message: String) -> Failure {
        let body = if self.body.len() <= KEPT_OF_REFUSAL && !self.is_cut {
            self.body()
        } else {
            let kept = String::from_utf8_lossy(&self.body[..self.body.len().min(KEPT_OF_REFUSAL)]);
            Value::String(format!("{kept}…"))
        };
        let details = json!({
            "status": self.status.as_u16(), "headers": storable(&self.headers), "body": body,
        });
        Failure::new(kind, message).with_details(details)
    }

    /// The body as JSON if it says it is and is, else as text; null if there is none.
    fn body(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        let is_json =
            self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| {
                let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                kind == "application/json" || kind.ends_with("+json") || kind == "text/json"
            });
        let parsed = is_json.then(|| serde_json::from_slice(&self.body).ok()).flatten();
        parsed.unwrap_or_else(|| String::from_utf8_lossy(&self.body).into())
    }
}

/// The failure of a call that got no answer.
pub(super) fn unreached(shown: &str, error: &reqwest::Error) -> Failure {
    let (code, what) = match error {
        error if error.is_timeout() => ("HTTP_TIMEOUT", "took too long"),
        error if error.is_connect() => ("HTTP_CONNECT", "could not connect"),
        error if error.is_body() || error.is_decode() => ("HTTP_BODY", "broke off while the answer was read"),
        _ => ("HTTP_TRANSPORT", "failed"),
    };
    // The text of the error itself holds the address with all its secrets; its sources do not.
    let mut cause = error.source();
    let mut reasons: Vec<String> = Vec::new();
    while let Some(source) = cause {
        reasons.push(source.to_string());
        cause = source.source();
    }
    reasons.dedup();
    let reason = reasons.pop().map_or_else(String::new, |reason| format!(": {reason}"));
    Failure::new(FailureKind::Retryable, format!("{shown} {what}{reason}")).with_code(code)
}

/// The failure of a call that took longer than it may.
pub(super) fn too_slow(shown: &str, timeout: Duration) -> Failure {
    let message = format!("{shown} did not answer within {}", seconds(timeout));
    Failure::new(FailureKind::Retryable, message).with_code("HTTP_TIMEOUT")
}
