//! Events of the user's own: handlers emit them, subscribers hear them.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tasker_core::{Outcome, ParseOptions, State, TaskTemplate};
use tasker_events::{
    DeliveryError, Envelope, Events, Interests, Subscriber, Subscription, SubscriptionSettings,
};
use tasker_handler::testing::TestStep;
use tasker_handler::{HandlerError, Registration, Registry, StepContext, Surroundings, handler_fn};
use tasker_store::Store;
use tokio::sync::mpsc;

use crate::support::world::{Working, World, registry};

/// Hands on what it hears.
struct Ear(mpsc::UnboundedSender<Envelope>);

#[async_trait]
impl Subscriber for Ear {
    fn name(&self) -> &'static str {
        "ear"
    }

    fn interests(&self) -> Interests {
        Interests::NONE.with_custom()
    }

    async fn deliver(&self, event: &Envelope) -> Result<(), DeliveryError> {
        Ok(self.0.send(event.clone())?)
    }
}

/// A runner whose events somebody hears.
struct Heard {
    events: Events,
    receiver: mpsc::UnboundedReceiver<Envelope>,
    working: Working,
    _subscription: Subscription,
}

impl Heard {
    fn of(world: &World, registry: Registry) -> Self {
        let (events, (sender, receiver)) = (Events::default(), mpsc::unbounded_channel());
        let subscription = events.subscribe(Arc::new(Ear(sender)), SubscriptionSettings::default());
        let (store, told) = (Arc::clone(&world.store) as Arc<dyn Store>, events.clone());
        let working = world.work_watched(store, registry, |_| {}, |runner| runner.tell(told));
        Self { events, receiver, working, _subscription: subscription }
    }

    async fn next(&mut self) -> Envelope {
        self.receiver.recv().await.expect("the subscriber listens")
    }
}

fn rust(handler: Registration) -> Registry {
    let mut registry = Registry::new(Surroundings::default());
    registry.register(handler).expect("a free name");
    registry
}

fn steps(handler: &str, config: &Value) -> Value {
    let emitted = [json!({ "name": "order.fulfilled", "description": "All is sent." })];
    json!([{ "name": "ship", "handler_class": handler, "handler_config": config, "custom_events": emitted }])
}

/// Emits, and is done from its second attempt on.
async fn ship(order: Value, step: StepContext) -> Result<Value, HandlerError> {
    step.emit("order.fulfilled", json!({ "order": order["id"] }))?;
    if step.attempt() == 1 { Err(HandlerError::retryable("not yet")) } else { Ok(Value::Null) }
}

/// V1.
#[tokio::test(start_paused = true)]
async fn what_a_handler_emits_is_heard_in_every_attempt_under_one_key() {
    let world = World::new();
    let mut heard = Heard::of(&world, rust(handler_fn("Ship", ship)));
    let task = world.task(steps("Ship", &Value::Null), json!({ "id": 7 })).await;
    let (first, second) = (heard.next().await, heard.next().await);
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!((&*first.event, first.id, first.task), ("order.fulfilled", None, Some(task)));
    let step = world.step(task, 0).await.id.to_string();
    let mut expected = json!({
        "task_id": task, "namespace": "default", "task_name": "task1", "task_version": "0.1.0",
        "step_id": step, "step_name": "ship", "handler": "Ship", "queue": "default", "attempt_number": 1,
        "idempotency_key": step, "data": { "order": 7 },
    });
    assert_eq!(first.payload, expected);
    expected["attempt_number"] = json!(2);
    assert_eq!(second.payload, expected);
    let mut listed = heard.events.custom().list();
    assert_eq!((&*listed[0].description, &*listed[0].fired_by), ("All is sent.", &["Ship".to_owned()][..]));
    listed.clear();
    assert!(heard.events.custom().is_known("order.fulfilled"));
    heard.working.stop().await;
}

/// V2, V3, V4, and V5 for what is no text: such a template is never stored, and no handler can emit such a name.
#[tokio::test]
async fn names_that_are_none_come_into_no_template_and_out_of_no_handler() {
    let events = Events::default();
    let step = TestStep::new().tell(events.clone()).build();
    let names = ["invalid_event_name", "task.completed", "task.x", "step.x", "workflow.x", "observability.x"];
    let names = names.map(Value::from).into_iter().chain([json!("test.x"), json!(7)]);
    for name in names {
        let mut steps = steps("Ship", &Value::Null);
        steps[0]["custom_events"][0]["name"] = name.clone();
        let definition = json!({ "name": "orders", "step_templates": steps }).to_string();
        let refused = TaskTemplate::parse(&definition, &ParseOptions::default()).expect_err("refused");
        assert!(refused.to_string().contains("step_templates[0].custom_events[0].name"), "{refused}");
        let text = name.as_str().unwrap_or("7");
        assert!(events.custom().register(text, "", &[], step.now()).is_err(), "{text}");
        let refused = step.emit(text, Value::Null).expect_err("refused").to_string();
        assert!(refused.contains("is not registered: list it under custom_events"), "{refused}");
    }
    assert_eq!(events.custom().list(), []);
}

/// V5.
#[tokio::test(start_paused = true)]
async fn an_event_that_several_templates_list_is_one() {
    let world = World::new();
    let mut heard = Heard::of(&world, rust(handler_fn("Ship", ship)));
    for _ in 0..2 {
        world.task(steps("Ship", &Value::Null), json!({})).await;
        heard.next().await;
    }
    assert_eq!(heard.events.custom().list().len(), 1);
    heard.working.stop().await;
}

#[tokio::test]
async fn a_program_emits_by_lines_of_its_standard_error() {
    let world = World::new();
    let mut heard = Heard::of(&world, registry());
    let script = r#"
        echo 'packing' >&2
        echo '::event order.fulfilled {"order": 7}' >&2
        echo '::event order.fulfilled' >&2
        echo '::event order.fulfilled {broken' >&2
        echo '::event order.lost 1' >&2
    "#;
    let task = world.task(steps("command", &json!({ "command": script })), json!({})).await;
    assert_eq!(heard.next().await.payload["data"], json!({ "order": 7 }));
    assert_eq!(heard.next().await.payload["data"], Value::Null);
    assert_eq!(world.ended(task).await, State::Complete);
    assert_lines(&heard.working.log.take());
    heard.working.stop().await;
}

fn assert_lines(lines: &[String]) {
    assert_eq!(lines[..2], ["packing", "::event order.fulfilled {broken"]);
    assert!(lines[2].starts_with("(not emitted: what follows the name is no JSON"), "{}", lines[2]);
    assert_eq!(lines[3], "::event order.lost 1");
    assert!(lines[4].starts_with("(not emitted: event \"order.lost\" is not registered"), "{}", lines[4]);
    assert_eq!(lines.len(), 5);
}

/// A step's event is no failure message.
#[tokio::test]
async fn an_event_is_not_what_a_program_says_last() {
    let script = "echo 'no paper' >&2; echo '::event printer.stopped' >&2; exit 2";
    let step = TestStep::new().config(json!({ "command": script })).build();
    let environment = [("PATH", "/usr/local/bin:/usr/bin:/bin")];
    let surroundings = Arc::new(Surroundings::default().environment(environment));
    let outcome =
        tasker_handler::StepHandler::run(&tasker_handler::CommandHandler::new(surroundings), &step).await;
    let Outcome::Retry { failure, .. } = outcome else { panic!("did not fail") };
    assert!(failure.message.ends_with("exited with 2: no paper"), "{}", failure.message);
}
