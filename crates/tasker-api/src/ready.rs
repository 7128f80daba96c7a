//! `GET /health/ready`: whether the process can do its work now.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::api;
use crate::readiness::{Check, Status};

/// A process that does not know after so long is not ready.
const TIMEOUT: Duration = Duration::from_secs(5);

/// 200 if nothing failed, else 503; the body tells what was looked at.
pub(crate) async fn ready(State(state): State<Arc<api::State>>) -> (StatusCode, Json<Value>) {
    let checks = tokio::time::timeout(TIMEOUT, state.readiness.checks()).await;
    let late =
        |_| vec![Check::failed("answer", format!("there was none within {} seconds", TIMEOUT.as_secs()))];
    let checks = checks.unwrap_or_else(late);
    let (mut failed, mut degraded) = (Vec::new(), Vec::new());
    for check in &checks {
        match check.status {
            Status::Ok => {}
            Status::Degraded(_) => degraded.push(check.name),
            Status::Failed(_) => failed.push(check.name),
        }
    }
    let status = if failed.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let listed: Map<String, Value> =
        checks.iter().map(|check| (check.name.to_owned(), told(check))).collect();
    let body = json!({
        "ready": failed.is_empty(),
        "checks": listed,
        "failed_checks": failed,
        "degraded_checks": degraded,
        "timestamp": state.clock.now(),
    });
    (status, Json(body))
}

fn told(check: &Check) -> Value {
    let mut told = match &check.status {
        Status::Ok => json!({ "status": "ok" }),
        Status::Degraded(why) => json!({ "status": "degraded", "message": why }),
        Status::Failed(why) => json!({ "status": "failed", "message": why }),
    };
    if let Some(latency) = check.latency {
        told["latency_ms"] = json!((latency.as_secs_f64() * 1e6).round() / 1e3);
    }
    told
}
