//! `GET /health/status`: how the process fares, in numbers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::api;

/// Longer than a source takes.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Tells how the process fares.
#[async_trait]
pub trait StatusSource: Send + Sync {
    /// How it fares now, or fared a moment ago: whoever asks often must not be a burden.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped if it takes longer than five seconds.
    async fn status(&self) -> StatusReport;
}

/// How a process fares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusReport {
    /// Whether it can do its work.
    pub healthy: bool,
    /// Whether this was found out for somebody who asked before.
    pub cached: bool,
    /// What else there is to tell, such as versions, counts, rates and saturation.
    #[serde(flatten)]
    pub facts: serde_json::Map<String, Value>,
}

/// 200 with the report of a process that is well, and 503 with that of one that is not.
pub(crate) async fn status(State(state): State<Arc<api::State>>) -> Response {
    let Some(source) = &state.status else {
        return crate::not_found::nothing("the process does not tell its status");
    };
    match tokio::time::timeout(TIMEOUT, source.status()).await {
        Ok(report) => {
            let code = if report.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (code, Json(told(&report, &state))).into_response()
        }
        Err(_) => {
            let message = format!("there was no answer within {} seconds", TIMEOUT.as_secs());
            let body = json!({
                "healthy": false, "error": "Status check failed", "message": message, "timestamp": state.clock.now(),
            });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

fn told(report: &StatusReport, state: &api::State) -> Value {
    let mut body = serde_json::to_value(report).expect("invariant: a report has a JSON form");
    body["status"] = Value::from(if report.healthy { "healthy" } else { "unhealthy" });
    body["timestamp"] = json!(state.clock.now());
    body
}
