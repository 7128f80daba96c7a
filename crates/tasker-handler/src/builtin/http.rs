//! `http`, also `api`: one call of a web service.
//!
//! | Status | Outcome |
//! |---|---|
//! | 200–226 | done; results `{status, headers, body}` |
//! | 400, 401, 403, 404, 422 | failed for good, code `HTTP_<status>` |
//! | 429, 503 | retried as `Retry-After` asks, at most the step's longest backoff; without it, or if it makes no sense, after the step's backoff without jitter, unless `enable_exponential_backoff` is false |
//! | all others | retried after the step's backoff |
//!
//! Network errors and calls that take too long are retried. Redirects are not followed. Headers that carry
//! credentials are never stored, and secrets in addresses are masked in messages.

mod masking;
mod request;
mod response;
mod retry_after;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use tasker_core::{Failure, FailureKind, Outcome};
use tracing::{Instrument, Span};

use crate::config::{Misconfigured, Shape};
use crate::context::StepContext;
use crate::handler::StepHandler;
use crate::surroundings::Surroundings;
use request::{Call, Tls};

pub(super) const FIELDS: &[(&str, Shape)] = &[
    ("method", Shape::Text),
    ("url", Shape::Text),
    ("params", Shape::Object),
    ("headers", Shape::Object),
    ("body", Shape::Any),
    ("timeout_seconds", Shape::Seconds),
    ("ssl", Shape::Object),
    ("enable_exponential_backoff", Shape::Flag),
    ("max_body_bytes", Shape::Whole),
];

/// So many different TLS settings keep their connections.
const CLIENTS: usize = 32;

/// `http`, also `api`: one call of a web service.
///
/// | Field of `handler_config` | Default | |
/// |---|---|---|
/// | `url` | | required |
/// | `method` | `POST` with a `body`, else `GET` | |
/// | `params` | | added to the query; null adds nothing |
/// | `headers` | `Accept` and `Content-Type` JSON | `Idempotency-Key` is the attempt's, unless given; null takes one away |
/// | `body` | the step as JSON for POST, PUT and PATCH | JSON, or a text that is sent as it is |
/// | `timeout_seconds` | 30 | for the whole call |
/// | `ssl` | `{verify: true}` | `ca_file`: a PEM file of authorities trusted besides the system's |
/// | `enable_exponential_backoff` | true | whether 429 and 503 set a wait where the server names none |
/// | `max_body_bytes` | 1048576 | a longer answer to a call that went well fails the step for good |
pub struct HttpHandler {
    surroundings: Arc<Surroundings>,
    clients: Mutex<HashMap<Tls, Client>>,
}

impl HttpHandler {
    /// A handler whose relative `ca_file`s begin at the base folder of `surroundings`.
    pub fn new(surroundings: &Arc<Surroundings>) -> Self {
        // It is no failure that another part of the process has chosen its cryptography already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { surroundings: Arc::clone(surroundings), clients: Mutex::default() }
    }

    async fn call(&self, step: &StepContext) -> Result<Outcome, Misconfigured> {
        let call = Call::read(step)?;
        let client = self.client(&call.tls).await?;
        let limits = response::Limits { bytes: call.max_body_bytes, backs_off: call.backs_off };
        let (shown, timeout, span) = (call.shown(), call.timeout, call.span());
        let request = call.into_request(span.in_scope(|| step.traceparent()).as_deref());
        let answered = async {
            let answer = client.execute(request).await?;
            Span::current().record("http.response.status_code", answer.status().as_u16());
            response::Answer::read(answer, limits.bytes).await
        };
        let answered = answered.instrument(span.clone());
        let answered = tokio::select! {
            answered = tokio::time::timeout(timeout, answered) => answered,
            () = step.cancellation().cancelled() => {
                let message = format!("{shown} was cancelled before it answered");
                return Ok(retry(Failure::new(FailureKind::Retryable, message).with_code("CANCELLED")));
            }
        };
        Ok(match answered {
            Ok(Ok(answer)) => answer.outcome(&shown, step, &limits),
            Ok(Err(error)) => {
                span.record("error.type", "unreached");
                retry(response::unreached(&shown, &error))
            }
            Err(_) => {
                span.record("error.type", "timeout");
                retry(response::too_slow(&shown, timeout))
            }
        })
    }

    async fn client(&self, tls: &Tls) -> Result<Client, Misconfigured> {
        let known = self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(tls).cloned();
        if let Some(client) = known {
            return Ok(client);
        }
        let client = tls.client(&self.surroundings).await?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        clients.insert(tls.clone(), client.clone());
        Ok(client)
    }
}

#[async_trait]
impl StepHandler for HttpHandler {
    async fn run(&self, step: &StepContext) -> Outcome {
        self.call(step).await.unwrap_or_else(Outcome::from)
    }
}

impl fmt::Debug for HttpHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpHandler").finish_non_exhaustive()
    }
}

fn retry(failure: Failure) -> Outcome {
    Outcome::Retry { failure, when: None }
}

/// A time for a message.
fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
