//! What is answered to requests that are not met.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// `{"error": …, "message": …}`: what kind of refusal, and why, with what to do.
pub(crate) fn refusal(status: StatusCode, error: &str, message: impl AsRef<str>) -> Response {
    (status, Json(json!({ "error": error, "message": message.as_ref() }))).into_response()
}

/// 422: what was sent makes no sense.
pub(crate) fn unusable(message: impl AsRef<str>) -> Response {
    refusal(StatusCode::UNPROCESSABLE_ENTITY, "Invalid request", message)
}

/// A body as JSON, or the refusal of one that is none; `example` says what to send.
pub(crate) fn read<T: DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
    example: &str,
) -> Result<T, Box<Response>> {
    let body = body.map_err(|rejection| {
        let (status, message) = (rejection.status(), rejection.body_text());
        Box::new(refusal(status, "Invalid request", format!("the body cannot be read: {message}")))
    })?;
    serde_json::from_slice(&body).map_err(|error| {
        Box::new(unusable(format!("the body is not what is asked for: {error}; send {example}")))
    })
}
