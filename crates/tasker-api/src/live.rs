//! `GET /health/live`: whether the process answers at all.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::api;

/// 200, whatever becomes of the database: an orchestrator that restarts the process would mend nothing.
pub(crate) async fn live(State(state): State<Arc<api::State>>) -> Json<Value> {
    Json(json!({ "alive": true, "service": "tasker", "timestamp": state.clock.now() }))
}
