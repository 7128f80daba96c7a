//! The correlation id of a request: taken from its headers or made here, told in the log and in the answer.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;
use tasker_core::{CorrelationId, CorrelationIdError};
use tokio::time::Instant;
use tracing::Instrument;

use crate::api;
use crate::refusal::refusal;

/// The header that the answer has, and the first that is looked at in a request.
const OURS: HeaderName = HeaderName::from_static("x-correlation-id");
/// Under which target requests are logged.
const TARGET: &str = "tasker::http";
/// What proxies call the same.
const THEIRS: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request under its correlation id. Handlers find the id among the extensions of the request, and every line
/// that they log bears it. A panic is a 500.
pub(crate) async fn correlate(
    State(state): State<Arc<api::State>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (id, replaced) = match asked_for(request.headers()) {
        Some(Ok(id)) => (id, None),
        Some(Err(error)) => (generated(&state), Some(error)),
        None => (generated(&state), None),
    };
    // An error has to bear the id also where nothing else is logged.
    let span = tracing::error_span!("request", correlation_id = id.as_str());
    if let Some(error) = replaced {
        span.in_scope(|| {
            tracing::debug!(target: TARGET, "the request has another correlation id than it asked for: {error}");
        });
    }
    request.extensions_mut().insert(id.clone());
    let mut answer = told(request, next).instrument(span).await;
    let value = HeaderValue::from_str(id.as_str()).expect("invariant: an id can stand in a header");
    answer.headers_mut().insert(OURS, value);
    answer
}

/// Answers, and tells the log of it.
async fn told(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let start = Instant::now();
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let answer = answer.unwrap_or_else(|_| {
        let message =
            "the program failed at this request; its log says more, under the correlation id of this answer";
        refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", message)
    });
    let duration_ms = (start.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    let status = answer.status().as_u16();
    tracing::debug!(target: TARGET, %method, path, status, duration_ms, "answered");
    answer
}

/// The id that a request asks for, if it does.
fn asked_for(headers: &HeaderMap) -> Option<Result<CorrelationId, CorrelationIdError>> {
    let value = headers.get(OURS).or_else(|| headers.get(THEIRS))?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned().try_into())
}

fn generated(state: &api::State) -> CorrelationId {
    let mut random = state.random.lock().unwrap_or_else(PoisonError::into_inner);
    CorrelationId::generate(state.clock.now(), &mut *random)
}
