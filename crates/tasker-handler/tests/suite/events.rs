//! What the runner tells of handlers, and what handlers pass on of where their task comes from.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tasker_core::{LeaseKey, Outcome, State};
use tasker_events::{Backend, Event, EventId, Events, Routes, Sink};
use tasker_handler::testing::TestStep;
use tasker_handler::{
    CommandHandler, HttpHandler, Registration, Registry, StepContext, StepHandler, Surroundings, Tracer,
};
use tasker_store::{Origin, Store};
use tracing::Span;

use crate::support::server::{Answer, Server};
use crate::support::world::World;

/// Remembers every event with its payload.
#[derive(Default)]
struct Record(Mutex<Vec<(EventId, Value)>>);

impl Sink for Record {
    fn take(&self, event: &Event<'_>) {
        let payload = serde_json::to_value(event).expect("a JSON form");
        self.0.lock().expect("nobody panicked").push((event.id(), payload));
    }
}

fn recorded() -> (Arc<Record>, Events) {
    let mut routes = Routes::nowhere();
    for event in EventId::ALL {
        routes.send(*event, &[Backend::Metrics]);
    }
    let record = Arc::new(Record::default());
    let events = Events::builder(routes).sink(Backend::Metrics, Arc::clone(&record) as Arc<_>).build();
    (record, events)
}

/// Logs more than is kept, then panics.
struct Chatty;

#[async_trait::async_trait]
impl StepHandler for Chatty {
    async fn run(&self, step: &StepContext) -> Outcome {
        for _ in 0..70 {
            step.log(&"x".repeat(1_000));
        }
        panic!("enough");
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_are_told_of_before_and_after_they_are_called() {
    let world = World::new();
    let mut registry = Registry::new(Surroundings::default());
    registry.register(Registration::new("chatty", Chatty)).expect("a free name");
    let (record, events) = recorded();
    let store = Arc::clone(&world.store) as Arc<dyn Store>;
    let steps = json!([{ "name": "a", "handler_class": "chatty", "default_retry_limit": 1 }]);
    let task = world.task(steps, json!({})).await;
    let working = world.work_watched(store, registry, |_| {}, |runner| runner.tell(events));
    assert_eq!(world.ended(task).await, State::Error);
    working.stop().await;
    let told = std::mem::take(&mut *record.0.lock().expect("nobody panicked"));
    let names: Vec<_> = told.iter().map(|(id, _)| id.name()).collect();
    assert_eq!(names, ["step.before_handle", "step.log_truncated", "step.handle"]);
    for (event, payload) in &told {
        assert_eq!((&payload["task_id"], &payload["step_name"]), (&json!(task), &json!("a")), "{event}");
        assert_eq!(payload["attempt_number"], 1, "{event}");
    }
    assert_eq!(told[1].1["limit_bytes"], 65_536);
    assert_eq!((&told[2].1["outcome"], told[2].1["duration"].is_f64()), (&json!("retry"), true));
}

/// A tracer whose every span is the same.
struct Fixed;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

impl Tracer for Fixed {
    fn span(&self, _: LeaseKey, _: &Origin, _: &str) -> Span {
        Span::none()
    }

    fn traceparent(&self, _: LeaseKey, _: &Origin) -> Option<String> {
        Some(TRACEPARENT.to_owned())
    }
}

fn step(config: Value) -> TestStep {
    let origin = Origin { correlation_id: Some("tsk_1_abcdef".to_owned()), traceparent: None };
    TestStep::new().config(config).origin(origin).tracer(Fixed)
}

#[tokio::test]
async fn a_call_says_what_it_is_a_part_of() {
    let server = Server::answering([Answer::new(200, &[], ""), Answer::new(200, &[], "")]).await;
    let handler = HttpHandler::new(&Arc::new(Surroundings::default()));
    let config = json!({ "url": server.url("/") });
    assert!(matches!(handler.run(&step(config).build()).await, Outcome::Done(_)));
    let own =
        json!({ "url": server.url("/"), "headers": { "traceparent": "00-1", "x-correlation-id": null } });
    assert!(matches!(handler.run(&step(own).build()).await, Outcome::Done(_)));
    let requests = server.requests();
    let header = |request: usize, name| requests[request].header(name);
    assert_eq!(header(0, "traceparent"), Some(TRACEPARENT));
    assert_eq!(header(0, "x-correlation-id"), Some("tsk_1_abcdef"));
    assert_eq!(header(1, "traceparent"), Some("00-1"), "its own comes first");
    assert_eq!(header(1, "x-correlation-id"), None);
}

#[tokio::test]
async fn a_program_learns_what_it_is_a_part_of() {
    let environment = [("PATH", "/usr/local/bin:/usr/bin:/bin")];
    let handler = CommandHandler::new(Arc::new(Surroundings::default().environment(environment)));
    let config = json!({ "command": "echo \"$TRACEPARENT $TASKER_CORRELATION_ID\"" });
    let Outcome::Done(results) = handler.run(&step(config).build()).await else { panic!("not done") };
    assert_eq!(results, json!({ "stdout": format!("{TRACEPARENT} tsk_1_abcdef") }));
}
