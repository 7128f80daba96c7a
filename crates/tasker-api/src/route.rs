//! `GET` and `PUT /events/{name}/route`: where an event goes, from now on.

use std::sync::{Arc, PoisonError};

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::Value;
use tasker_core::CorrelationId;
use tasker_events::{Backend, Event, EventId, RouteChange, RouteError};

use crate::api;
use crate::catalog::{nothing, route, unknown};
use crate::refusal::{read, unusable};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    backends: Option<Vec<String>>,
    sampling: Option<Value>,
    priority: Option<String>,
}

const EXAMPLE: &str =
    "{\"backends\": [\"metrics\", \"logs\"], \"sampling\": 0.5, \"priority\": \"high\"}, or some of it";

/// 200 with the route of an event.
pub(crate) async fn get(State(state): State<Arc<api::State>>, Path(name): Path<String>) -> Response {
    let Some(events) = &state.events else { return nothing() };
    match name.parse::<EventId>() {
        Ok(event) => Json(told(event, route(events.routes().of(event)))).into_response(),
        Err(_) => unknown(&name, events),
    }
}

/// 200 with the route of an event and the one before; 422 if it makes no sense.
pub(crate) async fn put(
    State(state): State<Arc<api::State>>,
    Path(name): Path<String>,
    Extension(request): Extension<CorrelationId>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(events) = &state.events else { return nothing() };
    let Ok(event) = name.parse::<EventId>() else { return unknown(&name, events) };
    let change = match read(body, EXAMPLE)
        .and_then(|wanted: Wanted| change(wanted).map_err(|why| Box::new(unusable(why))))
    {
        Ok(change) => change,
        Err(refused) => return *refused,
    };
    // Of two who change routes at once, neither undoes what the other did.
    let guard = state.routing.lock().unwrap_or_else(PoisonError::into_inner);
    let mut routes = events.routes();
    let before = (route(routes.of(event)), routes.describe(event));
    if let Err(problem) = change.apply(event, &mut routes) {
        return unusable(problem.to_string());
    }
    let (now, description) = (route(routes.of(event)), routes.describe(event));
    events.reroute(routes);
    drop(guard);
    events.emit(&Event::RouteChanged { route: event.name(), by: request.as_str() });
    tracing::warn!(from = before.1, to = description, "the route of an event was changed over HTTP");
    let mut body = told(event, now);
    body["before"] = before.0;
    Json(body).into_response()
}

fn told(event: EventId, mut route: Value) -> Value {
    route["event"] = Value::from(event.name());
    route
}

fn change(wanted: Wanted) -> Result<RouteChange, String> {
    let backends = wanted.backends.map(|names| names.iter().map(|name| name.parse()).collect());
    let backends: Option<Vec<Backend>> =
        backends.transpose().map_err(|error: RouteError| error.to_string())?;
    let sampling = match wanted.sampling {
        None => None,
        Some(Value::Object(rates)) if rates.keys().any(|key| key.starts_with("metric")) => {
            return Err("metrics are never sampled, they count every event; sampling is one number from 0 to 1, for traces \
                        and logs"
                .to_owned());
        }
        Some(rate) => {
            let number = rate.as_f64();
            Some(number.ok_or_else(|| {
                format!("sampling is {rate}: write a number from 0 to 1, for traces and logs")
            })?)
        }
    };
    let priority = wanted.priority.map(|name| name.parse()).transpose();
    let priority = priority.map_err(|error: RouteError| error.to_string())?;
    if backends.is_none() && sampling.is_none() && priority.is_none() {
        return Err(format!("the body says nothing: send {EXAMPLE}"));
    }
    Ok(RouteChange { backends, sampling, priority })
}
