//! What operators change while the process runs, over a real socket.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tasker_api::{Api, LogLevel, Token};
use tasker_core::CorrelationId;
use tasker_events::{Backend, Event, EventId, Events, Routes, Sink};

use crate::support::{Answer, Served, send, serve_silent};

const TOKEN: &str = "operator-0123456789";

/// A log that knows two levels.
struct Levels(Mutex<String>);

impl LogLevel for Levels {
    fn level(&self) -> String {
        self.0.lock().expect("no panic").clone()
    }

    fn set_level(&self, level: &str, _: &CorrelationId) -> Result<(), String> {
        if !["info", "debug"].contains(&level) {
            return Err(format!("log.level is {level:?}: write info or debug"));
        }
        level.clone_into(&mut self.0.lock().expect("no panic"));
        Ok(())
    }
}

async fn serve(events: &Events) -> Served {
    let log = Arc::new(Levels(Mutex::new("info".to_owned())));
    let finish = |api: Api| api.events(events.clone()).log(log).operators(Token::of(TOKEN).expect("a token"));
    serve_silent(finish).await
}

async fn ask(served: &Served, what: &str, body: &str) -> Answer {
    send(served.address, what, &format!("Authorization: Bearer {TOKEN}\r\n"), body).await
}

#[tokio::test]
async fn the_level_of_the_log_is_changed() {
    let served = serve(&Events::default()).await;
    assert_eq!(ask(&served, "GET /log/level", "").await.json(), json!({ "level": "info" }));
    let answer = ask(&served, "PUT /log/level", "{\"level\": \"debug\"}").await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "level": "debug", "before": "info" })));
    assert_eq!(ask(&served, "GET /log/level", "").await.json(), json!({ "level": "debug" }));
}

#[tokio::test]
async fn a_level_that_is_none_changes_nothing() {
    let served = serve(&Events::default()).await;
    let mut told = Vec::new();
    for body in ["{\"level\": \"loud\"}", "{\"level\": 1}", "{\"levle\": \"info\"}", "debug"] {
        let answer = ask(&served, "PUT /log/level", body).await;
        assert_eq!(answer.status, 422);
        told.push(answer.json()["message"].as_str().expect("a text").to_owned());
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    log.level is "loud": write info or debug
    the body is not what is asked for: invalid type: integer `1`, expected a string at line 1 column 11; send {"level": "info,tasker_engine=debug"}
    the body is not what is asked for: unknown field `levle`, expected `level` at line 1 column 8; send {"level": "info,tasker_engine=debug"}
    the body is not what is asked for: expected value at line 1 column 1; send {"level": "info,tasker_engine=debug"}
    "#);
    assert_eq!(ask(&served, "GET /log/level", "").await.json(), json!({ "level": "info" }));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let served = serve(&Events::default()).await;
    let answer = ask(&served, "PUT /log/level", &" ".repeat(70_000)).await;
    assert_eq!((answer.status, &answer.json()["error"]), (413, &json!("Invalid request")));
}

#[tokio::test]
async fn the_route_of_an_event_is_changed_from_now_on() {
    let events = Events::default();
    let served = serve(&events).await;
    let body = "{\"backends\": [\"metrics\", \"log\"], \"sampling\": 0.5}";
    let answer = ask(&served, "PUT /tasker/events/task.completed/route", body).await;
    assert_eq!(answer.status, 200);
    insta::assert_snapshot!(answer.body, @r#"{"backends":["metrics","logs"],"before":{"backends":["traces","metrics"],"priority":"normal","sampling":1.0},"event":"task.completed","priority":"normal","sampling":0.5}"#);
    let routes = events.routes();
    assert!(routes.of(EventId::TaskCompleted).goes_to(Backend::Logs));
    assert!(!routes.of(EventId::TaskCompleted).goes_to(Backend::Traces));
    let answer = ask(&served, "PUT /events/task.completed/route", "{\"sampling\": 1}").await;
    assert_eq!(answer.json()["backends"], json!(["metrics", "logs"]));
    assert_eq!(ask(&served, "GET /events/task.completed/route", "").await.json()["sampling"], 1.0);
    let answer =
        ask(&served, "PUT /events/task.completed/route", "{\"priority\": \"critical\"}").await.json();
    assert_eq!((&answer["priority"], &answer["before"]["priority"]), (&json!("critical"), &json!("normal")));
    assert_eq!(ask(&served, "GET /events/task.completed", "").await.json()["priority"], "critical");
}

#[tokio::test]
async fn a_route_that_makes_no_sense_is_refused_and_changes_nothing() {
    let events = Events::default();
    let served = serve(&events).await;
    let mut told = Vec::new();
    for body in [
        "{\"backends\": [\"metrics\"], \"sampling\": 0.5}",
        "{\"sampling\": {\"metrics\": 0.5}}",
        "{\"sampling\": 2}",
        "{\"sampling\": \"half\"}",
        "{\"backends\": [\"prints\"]}",
        "{}",
        "{\"priority\": \"urgent\"}",
        "{\"prio\": \"high\"}",
    ] {
        let answer = ask(&served, "PUT /events/task.completed/route", body).await;
        assert_eq!(answer.status, 422);
        told.push(answer.json()["message"].as_str().expect("a text").to_owned());
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    the sampling rate of task.completed is 0.5, and it goes to no traces and no logs: metrics always count every event; leave sampling out, or send the event to traces or logs as well
    metrics are never sampled, they count every event; sampling is one number from 0 to 1, for traces and logs
    the sampling rate of task.completed is 2: write a number from 0 to 1
    sampling is "half": write a number from 0 to 1, for traces and logs
    unknown backend "prints": write metrics, traces or logs
    the body says nothing: send {"backends": ["metrics", "logs"], "sampling": 0.5, "priority": "high"}, or some of it
    unknown priority "urgent": write low, normal, high or critical
    the body is not what is asked for: unknown field `prio`, expected one of `backends`, `sampling`, `priority` at line 1 column 7; send {"backends": ["metrics", "logs"], "sampling": 0.5, "priority": "high"}, or some of it
    "#);
    assert_eq!(events.routes(), Events::default().routes());
    assert_eq!(ask(&served, "PUT /events/task.compleated/route", "{}").await.status, 404);
}

/// Remembers events, by name and payload.
#[derive(Default)]
struct Diary(Mutex<Vec<String>>);

impl Sink for Diary {
    fn take(&self, event: &Event<'_>) {
        let payload = serde_json::to_string(event).expect("JSON");
        self.0.lock().expect("no panic").push(format!("{} {payload}", event.id()));
    }
}

#[tokio::test]
async fn what_is_changed_is_told_as_an_event_with_who_asked() {
    let diary = Arc::new(Diary::default());
    let events =
        Events::builder(Routes::default()).sink(Backend::Metrics, Arc::clone(&diary) as Arc<_>).build();
    let served = serve(&events).await;
    let head = format!("Authorization: Bearer {TOKEN}\r\nX-Correlation-ID: visit\r\n");
    send(served.address, "PUT /log/level", &head, "{\"level\": \"debug\"}").await;
    send(served.address, "PUT /events/task.failed/route", &head, "{\"sampling\": 0.5}").await;
    let told = diary.0.lock().expect("no panic").join("\n");
    insta::assert_snapshot!(told, @r#"
    log.level_changed {"level":"debug","by":"visit"}
    route.changed {"route":"task.failed","by":"visit"}
    "#);
}
