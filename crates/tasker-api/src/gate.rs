//! Who is let in where.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api;
use crate::refusal::refusal;
use crate::token::{Access, Token};

/// Lets those in who may read what the process tells of itself.
pub(crate) async fn reader(State(state): State<Arc<api::State>>, request: Request, next: Next) -> Response {
    match &state.access {
        Access::Open => next.run(request).await,
        Access::Bearer(token) if shows(request.headers(), token) => next.run(request).await,
        Access::Bearer(_) => unknown(request.headers()),
    }
}

/// Lets those in who may change the process while it runs.
pub(crate) async fn operator(State(state): State<Arc<api::State>>, request: Request, next: Next) -> Response {
    match &state.operator {
        Some(token) if shows(request.headers(), token) => next.run(request).await,
        Some(_) => unknown(request.headers()),
        None => {
            let message = "nobody may read or change this over HTTP: set http.admin_token, or http.admin_token_file, \
                           to let those in who show that token";
            refusal(StatusCode::FORBIDDEN, "Forbidden", message)
        }
    }
}

fn shows(headers: &HeaderMap, token: &Token) -> bool {
    bearer(headers).is_some_and(|shown| token.is(shown))
}

/// What is shown as `Authorization: Bearer …`; the name of the scheme is written in any case.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let shown = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, rest) = shown.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| rest.trim_ascii())
}

fn unknown(headers: &HeaderMap) -> Response {
    let (challenge, message) = if bearer(headers).is_some() {
        ("Bearer realm=\"tasker\", error=\"invalid_token\"", "the token is not the one that is asked for")
    } else {
        ("Bearer realm=\"tasker\"", "show a token, as the header Authorization: Bearer …")
    };
    let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))];
    (challenge, refusal(StatusCode::UNAUTHORIZED, "Unauthorized", message)).into_response()
}
