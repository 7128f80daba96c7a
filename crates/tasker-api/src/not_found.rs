//! What is answered where there is nothing.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use crate::refusal::refusal;

/// 404, with the method and the path that were asked for.
pub(crate) async fn not_found(method: Method, uri: Uri) -> (StatusCode, Json<Value>) {
    let message = format!("there is nothing at {method} {}", uri.path());
    (StatusCode::NOT_FOUND, Json(json!({ "error": "Not found", "message": message })))
}

/// 405: there is something, and it does not answer to this method. The router says in `Allow` which it answers to.
pub(crate) async fn not_allowed(method: Method, uri: Uri) -> (StatusCode, Json<Value>) {
    let message = format!("{} does not answer to {method}", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, Json(json!({ "error": "Method not allowed", "message": message })))
}

/// 404: another process would have something here.
pub(crate) fn nothing(message: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, "Not found", message)
}
