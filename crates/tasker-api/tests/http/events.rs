//! The catalog of events over a real socket.

use serde_json::{Value, json};
use tasker_core::Timestamp;
use tasker_events::{Backend, EventId, Events, Routes};

use crate::support::{ask, serve_silent};

/// With a custom event, and one that goes elsewhere.
fn events() -> Events {
    let mut routes = Routes::default();
    routes.send(EventId::TaskCompleted, &[Backend::Logs]);
    routes.sample(EventId::TaskCompleted, 0.25).expect("a rate");
    let events = Events::builder(routes).build();
    let fired_by = ["Fulfil".to_owned()];
    events
        .custom()
        .register("order.fulfilled", "All is sent.", &fired_by, Timestamp::from_micros(0))
        .expect("a name");
    events
}

#[tokio::test]
async fn every_event_is_listed_with_where_it_goes() {
    let served = serve_silent(|api| api.events(events())).await;
    for path in ["/events", "/tasker/events"] {
        let body = ask(served.address, "GET", path, "").await.json();
        let names: Vec<&str> = body["events"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|event| event["name"].as_str())
            .collect();
        assert_eq!(names, EventId::ALL.iter().map(|event| event.name()).collect::<Vec<_>>());
        assert_eq!(body["custom_events"][0]["name"], "order.fulfilled");
    }
}

#[tokio::test]
async fn one_event_tells_its_fields_and_where_it_goes_now() {
    let served = serve_silent(|api| api.events(events())).await;
    let body = ask(served.address, "GET", "/events/task.completed", "").await.json();
    insta::assert_snapshot!(body, @r#"{"about":"All steps of a task ended well.","backends":["logs"],"default_backends":["traces","metrics"],"fields":[{"about":"the task","name":"task_id","nullable":false,"type":"id"},{"about":"its namespace","name":"namespace","nullable":false,"type":"text"},{"about":"the name of its template","name":"task_name","nullable":false,"type":"text"},{"about":"the version of its template","name":"task_version","nullable":false,"type":"text"},{"about":"seconds since it was submitted","name":"total_execution_duration","nullable":false,"type":"number"}],"name":"task.completed","priority":"normal","sampling":0.25}"#);
    let body = ask(served.address, "GET", "/events/step.failed", "").await.json();
    let fields = body["fields"].as_array().expect("a list");
    let field =
        |name: &str| fields.iter().find(|field| field["name"] == name).cloned().unwrap_or(Value::Null);
    assert_eq!(
        (&field("attempt_number")["type"], &field("step_id")["type"]),
        (&json!("integer"), &json!("id"))
    );
    assert_eq!(field("execution_duration")["nullable"], true);
    assert_eq!(field("will_retry")["type"], "boolean");
}

#[tokio::test]
async fn an_event_of_a_handler_is_told_as_it_was_registered() {
    let served = serve_silent(|api| api.events(events())).await;
    let body = ask(served.address, "GET", "/events/order.fulfilled", "").await.json();
    insta::assert_snapshot!(body, @r#"{"description":"All is sent.","fired_by":["Fulfil"],"name":"order.fulfilled","registered_at":"1970-01-01T00:00:00.000000Z"}"#);
}

#[tokio::test]
async fn an_event_that_is_none_is_a_404_with_the_one_that_was_likely_meant() {
    let served = serve_silent(|api| api.events(events())).await;
    let answer = ask(served.address, "GET", "/events/task.complete", "").await;
    assert_eq!(answer.status, 404);
    insta::assert_snapshot!(answer.body, @r#"{"error":"Event not found","message":"there is no event \"task.complete\"; did you mean task.completed?"}"#);
    let answer = ask(served.address, "GET", "/events/nothing", "").await;
    insta::assert_snapshot!(answer.body, @r#"{"error":"Event not found","message":"there is no event \"nothing\"; GET /events lists them"}"#);
}

#[tokio::test]
async fn a_process_without_events_has_no_catalog() {
    let served = serve_silent(|api| api).await;
    assert_eq!(ask(served.address, "GET", "/events", "").await.status, 404);
}
