//! `GET /tasks/{task_id}/logs`: what the attempts of a task logged.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tasker_core::{TaskId, Timestamp};

use crate::api;
use crate::refusal::{refusal, unusable};

/// Reads what attempts logged.
#[async_trait]
pub trait LogReader: Send + Sync {
    /// What the attempts of a task logged, those of each step together, by step and attempt; `None` if there is no such
    /// task.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, for people.
    async fn logs(&self, task: TaskId) -> Result<Option<Vec<LoggedAttempt>>, String>;
}

/// What an attempt logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedAttempt {
    /// The name of the step.
    pub step: String,
    /// The number of the attempt.
    pub attempt: u32,
    /// The lines, in order.
    pub lines: Vec<LoggedLine>,
}

/// A line that an attempt logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedLine {
    /// When.
    pub at: Timestamp,
    /// The line, without its end.
    pub text: String,
}

/// Which attempts are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    step: Option<String>,
    attempt: Option<u32>,
}

/// 200 with what was logged, 404 if there is no such task, 422 if what is asked makes no sense, 503 if it cannot be read.
pub(crate) async fn logs(
    State(state): State<Arc<api::State>>,
    Path(task): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Some(reader) = &state.logs else {
        return crate::not_found::nothing("the process has no tasks");
    };
    let Ok(id) = task.parse::<TaskId>() else {
        return unusable(format!("{task:?} is not the id of a task: write its UUID"));
    };
    let Query(wanted) = match wanted {
        Ok(wanted) => wanted,
        Err(error) => return unusable(format!("{}; ask by step=NAME and attempt=NUMBER", error.body_text())),
    };
    match reader.logs(id).await {
        Ok(Some(mut logs)) => {
            logs.retain(|log| {
                wanted.step.as_ref().is_none_or(|step| log.step == *step)
                    && wanted.attempt.is_none_or(|attempt| log.attempt == attempt)
            });
            Json(json!({ "task_id": id, "attempts": logs })).into_response()
        }
        Ok(None) => crate::not_found::nothing(&format!("there is no task {id}")),
        Err(why) => refusal(StatusCode::SERVICE_UNAVAILABLE, "Logs unavailable", why),
    }
}
