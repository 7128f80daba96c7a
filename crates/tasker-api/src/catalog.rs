//! `GET /events` and `GET /events/{name}`: what can happen, and where it goes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tasker_events::{Backend, EventId, Events, Field, Route, Routes};

use crate::api;
use crate::refusal::refusal;

/// How alike an unknown name and an event must be for "did you mean".
const ALIKE: f64 = 0.6;

const TASK: [(&str, &str, &str); 4] = [
    ("task_id", "id", "the task"),
    ("namespace", "text", "its namespace"),
    ("task_name", "text", "the name of its template"),
    ("task_version", "text", "the version of its template"),
];

const STEP: [(&str, &str, &str); 4] = [
    ("step_id", "id", "the step"),
    ("step_name", "text", "its name"),
    ("handler", "text", "its handler"),
    ("queue", "text", "its queue"),
];

const ATTEMPT: (&str, &str, &str) = ("attempt_number", "integer", "the attempt");

/// 200 with all events of the catalog and those that handlers have registered.
pub(crate) async fn list(State(state): State<Arc<api::State>>) -> Response {
    let Some(events) = &state.events else { return nothing() };
    let listed: Vec<Value> = EventId::ALL.iter().map(|event| told(*event, events)).collect();
    Json(json!({ "events": listed, "custom_events": events.custom().list() })).into_response()
}

/// 200 with one event; 404 with the one that was likely meant.
pub(crate) async fn one(State(state): State<Arc<api::State>>, Path(name): Path<String>) -> Response {
    let Some(events) = &state.events else { return nothing() };
    if let Some(custom) = events.custom().list().into_iter().find(|custom| custom.name == name) {
        return Json(json!(custom)).into_response();
    }
    match name.parse() {
        Ok(event) => Json(told(event, events)).into_response(),
        Err(_) => unknown(&name, events),
    }
}

/// 404, with the name that was likely meant.
pub(crate) fn unknown(name: &str, events: &Events) -> Response {
    let custom = events.custom().list();
    let names =
        EventId::ALL.iter().map(|event| event.name()).chain(custom.iter().map(|custom| &*custom.name));
    let scored = names.map(|known| (strsim::normalized_damerau_levenshtein(name, known), known));
    let best =
        scored.max_by(|(one, _), (other, _)| one.total_cmp(other)).filter(|(alike, _)| *alike >= ALIKE);
    let remedy = match best {
        Some((_, meant)) => format!("did you mean {meant}?"),
        None => "GET /events lists them".to_owned(),
    };
    refusal(StatusCode::NOT_FOUND, "Event not found", format!("there is no event {name:?}; {remedy}"))
}

pub(crate) fn nothing() -> Response {
    crate::not_found::nothing("the process tells of no events")
}

fn told(event: EventId, events: &Events) -> Value {
    let mut told = json!({
        "name": event.name(),
        "about": event.about(),
        "default_backends": backends(Routes::default().of(event)),
        "fields": event.fields().iter().flat_map(fields).collect::<Vec<_>>(),
    });
    if let (Value::Object(told), Value::Object(route)) = (&mut told, route(events.routes().of(event))) {
        told.extend(route);
    }
    told
}

/// A route as JSON.
pub(crate) fn route(route: &Route) -> Value {
    json!({ "backends": backends(route), "sampling": route.rate(), "priority": route.priority })
}

fn backends(route: &Route) -> Vec<&'static str> {
    Backend::ALL.into_iter().filter(|backend| route.goes_to(*backend)).map(Backend::as_str).collect()
}

/// A field of a payload; what an event is about stands in many.
fn fields(field: &Field) -> Vec<Value> {
    let plain = |(name, kind, about): (&str, &str, &str)| json!({ "name": name, "type": kind, "nullable": false, "about": about });
    let kind = field.rust.trim().trim_start_matches("Option<").trim();
    match kind.split('<').next().unwrap_or_default().trim() {
        "TaskRef" => TASK.into_iter().map(plain).collect(),
        "StepRef" => TASK.into_iter().chain(STEP).map(plain).collect(),
        "AttemptRef" => TASK.into_iter().chain(STEP).chain([ATTEMPT]).map(plain).collect(),
        _ => {
            // A template is a key in Rust, and a template in JSON.
            let name = if field.name == "key" { "template" } else { field.name };
            let is_nullable = field.rust.trim().starts_with("Option");
            let kind = kind.trim_end_matches('>').trim();
            vec![
                json!({ "name": name, "type": type_of(kind), "nullable": is_nullable, "about": field.about }),
            ]
        }
    }
}

/// What a type is called outside of Rust.
fn type_of(rust: &str) -> &'static str {
    match rust {
        "i64" | "u32" | "u64" => "integer",
        "f64" => "number",
        "bool" => "boolean",
        "Timestamp" => "time",
        "TaskId" | "WorkerId" => "id",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_the_type_of_its_value() {
        let texts = ["&'a str", "&'static str", "String", "ErrorCategory"];
        for field in EventId::ALL.iter().flat_map(|event| event.fields()) {
            let about = fields(field);
            assert!(!about.is_empty());
            if let [one] = &about[..]
                && one["type"] == "text"
            {
                let rust = field.rust.trim_start_matches("Option<").trim_end_matches('>');
                assert!(texts.contains(&rust), "{} is {rust}", field.name);
            }
        }
    }
}
