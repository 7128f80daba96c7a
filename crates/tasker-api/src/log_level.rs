//! `GET` and `PUT /log/level`: how much the process says.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use tasker_core::CorrelationId;
use tasker_events::Event;

use crate::api;
use crate::refusal::{read, unusable};

/// Reads and changes how much the process says.
pub trait LogLevel: Send + Sync {
    /// How much it says, such as `info,tasker_engine=debug`.
    fn level(&self) -> String;

    /// Has it say more, or less, from now on, and tells the log of that, and in which request it was asked for.
    ///
    /// # Errors
    ///
    /// What is wrong with the level, and what to write instead; nothing is changed then.
    fn set_level(&self, level: &str, request: &CorrelationId) -> Result<(), String>;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    level: String,
}

const EXAMPLE: &str = "{\"level\": \"info,tasker_engine=debug\"}";

/// 200 with the level.
pub(crate) async fn get(State(state): State<Arc<api::State>>) -> Response {
    let Some(log) = &state.log else { return nothing() };
    Json(json!({ "level": log.level() })).into_response()
}

/// 200 with the level and the one before; 422 if it is none.
pub(crate) async fn put(
    State(state): State<Arc<api::State>>,
    Extension(request): Extension<CorrelationId>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(log) = &state.log else { return nothing() };
    let wanted: Wanted = match read(body, EXAMPLE) {
        Ok(wanted) => wanted,
        Err(refused) => return *refused,
    };
    let before = log.level();
    if let Err(problem) = log.set_level(&wanted.level, &request) {
        return unusable(problem);
    }
    let level = wanted.level;
    if let Some(events) = &state.events {
        events.emit(&Event::LogLevelChanged { level: &level, by: request.as_str() });
    }
    Json(json!({ "level": level, "before": before })).into_response()
}

fn nothing() -> Response {
    crate::not_found::nothing("the process has no log whose level could be changed")
}
