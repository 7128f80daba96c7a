//! What a runner does with steps while all goes well, or goes wrong in the handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, Outcome, State};
use tasker_handler::testing::RecordingHandler;
use tasker_handler::{
    Bindings, HandlerError, InputNeed, Placement, Registration, Registry, StepContext, StepHandler,
    Surroundings, handler_fn,
};
use tasker_store::{Command, TaskStore};
use tokio::sync::Barrier;

use crate::support::faulty::FaultyStore;
use crate::support::world::{World, registry};

fn with(registrations: impl IntoIterator<Item = Registration>) -> Registry {
    let mut registry = registry();
    for registration in registrations {
        registry.register(registration).expect("a free name");
    }
    registry
}

#[tokio::test(start_paused = true)]
async fn a_chain_hands_results_on() {
    let world = World::new();
    let add = |name: &'static str| {
        handler_fn(name, move |start: u32, step: StepContext| async move {
            let before = step.dependencies().next().map_or(start.into(), |(_, results)| results.clone());
            Ok::<_, HandlerError>(before.as_u64().unwrap_or(0) + 1)
        })
    };
    let steps = json!([
        { "name": "one", "handler_class": "add" },
        { "name": "two", "handler_class": "add", "depends_on_step": "one" },
        { "name": "three", "handler_class": "add", "depends_on_step": "two" },
    ]);
    let task = world.task(steps, json!(5)).await;
    let working = world.work(with([add("add")]), |_| {});
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!(world.step(task, 2).await.results, Some(json!(8)));
    let report = working.stop().await;
    assert_eq!((report.completed, report.attempts(), report.busy), (3, 3, 0));
}

#[tokio::test(start_paused = true)]
async fn w2_the_branches_of_a_diamond_overlap() {
    let world = World::new();
    let both = Arc::new(Barrier::new(2));
    let meet = handler_fn("meet", move |_: Value, _| {
        let both = Arc::clone(&both);
        async move {
            both.wait().await;
            Ok::<_, HandlerError>(())
        }
    });
    let steps = json!([
        { "name": "start", "handler_class": "noop" },
        { "name": "left", "handler_class": "meet", "depends_on_step": "start" },
        { "name": "right", "handler_class": "meet", "depends_on_step": "start" },
        { "name": "merge", "handler_class": "noop", "depends_on_steps": ["left", "right"] },
    ]);
    let task = world.task(steps, json!({})).await;
    let _working = world.work(with([meet]), |_| {});
    assert_eq!(world.ended(task).await, State::Complete);
    let merge = world.step(task, 3).await;
    for branch in [1, 2] {
        assert!(world.step(task, branch).await.ended_at <= merge.started_at);
    }
}

#[tokio::test(start_paused = true)]
async fn w3_four_roots_run_at_once_and_the_merge_sees_them_all() {
    let world = World::new();
    let all = Arc::new(Barrier::new(4));
    let root = handler_fn("root", move |_: Value, step: StepContext| {
        let all = Arc::clone(&all);
        async move {
            all.wait().await;
            Ok::<_, HandlerError>(step.step_name().to_string())
        }
    });
    let merge = RecordingHandler::default();
    let steps = json!([
        { "name": "a", "handler_class": "root" },
        { "name": "b", "handler_class": "root" },
        { "name": "c", "handler_class": "root" },
        { "name": "d", "handler_class": "root" },
        { "name": "merge", "handler_class": "merge", "depends_on_steps": ["a", "b", "c", "d"] },
    ]);
    let task = world.task(steps, json!({})).await;
    let registry = with([root, Registration::new("merge", merge.clone())]);
    let _working = world.work(registry, |settings| settings.concurrency = 4);
    assert_eq!(world.ended(task).await, State::Complete);
    let seen = merge.steps()[0].to_json();
    assert_eq!(seen["dependencies"], json!({ "a": "a", "b": "b", "c": "c", "d": "d" }));
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_made_again_after_the_backoff() {
    let world = World::new();
    let flaky = RecordingHandler::failing(2);
    let task = world.task(json!([{ "name": "a", "handler_class": "flaky" }]), json!({})).await;
    let began = world.now();
    let working = world.work(with([Registration::new("flaky", flaky.clone())]), |_| {});
    assert_eq!(world.ended(task).await, State::Complete);
    let attempts: Vec<u32> = flaky.steps().iter().map(StepContext::attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    assert_eq!(world.now().since(began).as_secs(), 1 + 2);
    let keys: Vec<String> = flaky.steps().iter().map(StepContext::idempotency_key).collect();
    assert!(keys[0] == keys[1] && keys[0] == task.step(0).to_string(), "{keys:?}");
    assert_eq!(working.stop().await.retried, 2);
}

#[tokio::test(start_paused = true)]
async fn attempts_end_with_the_limit() {
    let world = World::new();
    let broken = RecordingHandler::failing(9);
    let task = world.task(json!([{ "name": "a", "handler_class": "broken" }]), json!({})).await;
    let _working = world.work(with([Registration::new("broken", broken.clone())]), |_| {});
    assert_eq!(world.ended(task).await, State::Error);
    assert_eq!(broken.steps().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn h3_a_wait_that_a_handler_names_counts_from_the_end_of_the_attempt() {
    let world = World::new();
    let busy = handler_fn("busy", |_: Value, _| async {
        Err::<(), _>(HandlerError::retryable("busy").retry_after(Duration::from_secs(30)))
    });
    let task = world.task(json!([{ "name": "a", "handler_class": "busy" }]), json!({})).await;
    let _working = world.work(with([busy]), |_| {});
    let step = world.step_is(task, 0, State::Error).await;
    assert_eq!(step.ready_at, step.ended_at.map(|ended| ended.plus(Duration::from_secs(30))));
}

#[tokio::test(start_paused = true)]
async fn w12_a_panic_is_a_failure_and_the_worker_lives() {
    let world = World::new();
    let panicking = handler_fn("panics", |message: String, _| async move {
        match message.as_str() {
            "" => std::panic::panic_any(7),
            "never" => Ok::<_, HandlerError>(()),
            said => panic!("{said}"),
        }
    });
    let plan =
        world.template(json!([{ "name": "a", "handler_class": "panics", "default_retryable": false }])).await;
    let _working = world.work(with([panicking]), |_| {});
    for (said, message) in [("boom", "the handler panicked: boom"), ("", "the handler panicked")] {
        let task = world.submit(plan, json!(said)).await;
        assert_eq!(world.ended(task).await, State::Error);
        let failure = world.step(task, 0).await.failure.expect("it failed");
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Panic, message));
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_cancelled_and_retried() {
    let world = World::new();
    let stopped = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&stopped);
    let slow = handler_fn("slow", move |_: Value, step: StepContext| {
        let seen = Arc::clone(&seen);
        async move {
            step.cancellation().cancelled().await;
            seen.fetch_add(1, Ordering::SeqCst);
            Ok::<_, HandlerError>("too late")
        }
    });
    let step =
        json!({ "name": "a", "handler_class": "slow", "timeout_seconds": 5, "default_retry_limit": 2 });
    let task = world.task(json!([step]), json!({})).await;
    let began = world.now();
    let _working = world.work(with([slow]), |_| {});
    assert_eq!(world.ended(task).await, State::Error);
    let failure = world.step(task, 0).await.failure.expect("it failed");
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "the attempt took longer than 5 s, its timeout_seconds");
    assert_eq!(stopped.load(Ordering::SeqCst), 2);
    assert_eq!(world.now().since(began).as_secs(), 5 + 1 + 5);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_does_not_end_by_itself_leaves_how_far_it_had_come() {
    let world = World::new();
    let slow = Registration::new("slow", Halfway);
    let limited = |seconds: u32| json!([{ "name": "a", "handler_class": "slow", "timeout_seconds": seconds, "default_retry_limit": 1 }]);
    let (late, interrupted) =
        (world.task(limited(5), json!({})).await, world.task(limited(600), json!({})).await);
    let working = world.work(with([slow]), |settings| settings.drain_timeout = Duration::from_secs(1));
    world.ended(late).await;
    working.stop().await;
    for task in [late, interrupted] {
        let failure = world.step(task, 0).await.failure.expect("it failed");
        assert_eq!(failure.details, json!({ "progress": "half" }), "{failure:?}");
    }
}

/// Comes half way, and then ends only when it is told to.
struct Halfway;

#[async_trait]
impl StepHandler for Halfway {
    async fn run(&self, step: &StepContext) -> Outcome {
        step.progress(json!("half"));
        step.cancellation().cancelled().await;
        Outcome::Retry { failure: Failure::new(FailureKind::Retryable, "cancelled"), when: None }
    }
}

#[tokio::test]
async fn the_variables_that_templates_may_use_are_in_no_failure_and_in_no_log() {
    let world = World::new();
    let environment = [("PATH", "/usr/bin:/bin"), ("API_TOKEN", "s3 cr/t+ö")];
    let mut registry = Registry::new(Surroundings::default().environment(environment).expose(["API_TOKEN"]));
    registry.register(Registration::new("panics", PanicsWithItsConfig)).expect("a free name");
    let working = world.work(registry, |_| {});
    for (class, config, message) in [
        (
            "command",
            json!({ "command": ["sh", "-c", "echo $0 >&2; exit 3", "${API_TOKEN}"] }),
            "sh exited with 3: ${API_TOKEN}",
        ),
        (
            "command",
            json!({ "command": "echo \"$API_TOKEN\" >&2; exit 3" }),
            "`echo \"$API_TOKEN\" >&2; exit 3` exited with 3: ${API_TOKEN}",
        ),
        ("command", json!({ "command": ["/no/${API_TOKEN}"] }), "/no/${API_TOKEN} was not found"),
        (
            "http",
            json!({ "url": "http://127.0.0.1:1/${API_TOKEN}?x=${API_TOKEN}", "params": { "y": "${API_TOKEN}" } }),
            "GET http://127.0.0.1:1/",
        ),
        (
            "http",
            json!({ "url": "http://x/", "method": "${API_TOKEN}" }),
            "handler_config.method: expected GET",
        ),
        ("wait", json!({ "until": "x ${API_TOKEN}" }), "handler_config.until: expected a time"),
        ("panics", json!({ "said": "${API_TOKEN}" }), "the handler panicked: ${API_TOKEN}"),
    ] {
        let step = json!({ "name": "a", "handler_class": class, "handler_config": config, "default_retry_limit": 1 });
        let task = world.task(json!([step]), json!({})).await;
        world.ended(task).await;
        let failure = world.step(task, 0).await.failure.expect("it failed");
        assert!(failure.message.starts_with(message), "{message}: {failure:?}");
        let told = format!("{failure:?} {:?}", working.log.take());
        assert!(!told.contains("s3") && !told.contains("cr/t") && !told.contains("cr%2Ft"), "{told}");
    }
}

/// Panics with what it was configured with.
struct PanicsWithItsConfig;

#[async_trait]
impl StepHandler for PanicsWithItsConfig {
    async fn run(&self, step: &StepContext) -> Outcome {
        panic!("{}", step.config()["said"].as_str().unwrap_or_default())
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_holds_no_worker_and_survives_them() {
    let world = World::new();
    let config = json!({ "duration": "1h" });
    let plan =
        world.template(json!([{ "name": "a", "handler_class": "wait", "handler_config": config }])).await;
    let task = world.submit(plan, json!({})).await;
    let began = world.now();
    let first = world.work(registry(), |_| {});
    world.until(async || world.step(task, 0).await.ready_at > Some(world.now())).await;
    assert_eq!(first.stop().await.snoozed, 1);
    let second = world.work(registry(), |_| {});
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!(world.now().since(began).as_secs(), 3_600);
    assert_eq!(second.stop().await.completed, 1);
    assert_eq!(world.step(task, 0).await.attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn inputs_are_read_once_for_a_batch_and_not_for_handlers_without_need() {
    let world = World::new();
    let store = Arc::new(FaultyStore::over(Arc::clone(&world.store)));
    let noop = world.template(json!([{ "name": "a", "handler_class": "noop" }])).await;
    let real = world.template(json!([{ "name": "a", "handler_class": "real" }])).await;
    let results = json!({ "results": "{{ context.n }}" });
    let templated =
        world.template(json!([{ "name": "a", "handler_class": "noop", "handler_config": results }])).await;
    let mut tasks = Vec::new();
    for plan in [noop, real, templated] {
        for number in 0..5 {
            tasks.push(world.submit(plan, json!({ "n": number })).await);
        }
    }
    let real = Registration::new("real", RecordingHandler::default());
    let _working = world.work_on(Arc::clone(&store) as _, with([real]), |_| {});
    for task in &tasks {
        assert_eq!(world.ended(*task).await, State::Complete);
    }
    assert_eq!(*store.reads.lock().expect("not poisoned"), [10]);
    assert_eq!(world.step(tasks[13], 0).await.results, Some(json!(3)));
}

#[tokio::test(start_paused = true)]
async fn a_step_without_a_handler_here_is_never_claimed() {
    let world = World::new();
    let foreign = world.task(json!([{ "name": "a", "handler_class": "Elsewhere" }]), json!({})).await;
    let own = world.task(json!([{ "name": "a", "handler_class": "noop" }]), json!({})).await;
    let _working = world.work(registry(), |_| {});
    assert_eq!(world.ended(own).await, State::Complete);
    assert_eq!(world.step(foreign, 0).await.attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_binding_lies_under_the_configuration_of_the_step() {
    let world = World::new();
    let bindings =
        json!({ "Rails::Step": { "type": "noop", "results": { "a": "bound", "b": "{{ context.b }}" } } });
    let mut registry = registry();
    registry.bind(Bindings::read(&bindings).expect("valid")).expect("free names");
    let config = json!({ "type": "api", "results": { "a": "own" } });
    let step = json!([{ "name": "a", "handler_class": "Rails::Step", "handler_config": config }]);
    let task = world.task(step, json!({ "b": 2 })).await;
    let _working = world.work(registry, |_| {});
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!(world.step(task, 0).await.results, Some(json!({ "a": "own", "b": 2 })));
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_cannot_be_rendered_fails_for_good() {
    let world = World::new();
    let config = json!({ "results": "{{ context.customer.emial }}" });
    let step = json!([{ "name": "a", "handler_class": "noop", "handler_config": config }]);
    let task = world.task(step, json!({ "customer": { "email": "x" } })).await;
    let _working = world.work(registry(), |_| {});
    assert_eq!(world.ended(task).await, State::Error);
    let step = world.step(task, 0).await;
    let failure = step.failure.expect("it failed");
    assert_eq!((failure.kind, step.attempts), (FailureKind::Configuration, 1));
    assert!(
        failure.message.contains("context.customer.emial is undefined; context.customer has email"),
        "{failure:?}"
    );
}

/// Says that it answers at once, and waits all the same.
struct Hesitant(Arc<Barrier>);

#[async_trait]
impl StepHandler for Hesitant {
    async fn run(&self, _: &StepContext) -> Outcome {
        self.0.wait().await;
        Outcome::Done(Value::Null)
    }

    fn wants_inputs(&self) -> InputNeed {
        InputNeed::None
    }

    fn placement(&self) -> Placement {
        Placement::Inline
    }
}

#[tokio::test(start_paused = true)]
async fn an_inline_handler_that_waits_does_not_hold_up_the_others() {
    let world = World::new();
    let steps =
        json!([{ "name": "a", "handler_class": "hesitant" }, { "name": "b", "handler_class": "hesitant" }]);
    let task = world.task(steps, json!({})).await;
    let hesitant = Registration::new("hesitant", Hesitant(Arc::new(Barrier::new(2))));
    let _working = world.work(with([hesitant]), |_| {});
    assert_eq!(world.ended(task).await, State::Complete);
}

#[tokio::test(start_paused = true)]
async fn no_more_attempts_run_at_once_than_allowed() {
    let world = World::new();
    let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (running, peak) = (Arc::clone(&now), Arc::clone(&most));
    let counted = handler_fn("counted", move |_: Value, _| {
        let (running, peak) = (Arc::clone(&running), Arc::clone(&peak));
        async move {
            peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // sleep: paused time; the others get their turn meanwhile
            tokio::time::sleep(Duration::from_secs(1)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, HandlerError>(())
        }
    });
    let plan = world.template(json!([{ "name": "a", "handler_class": "counted" }])).await;
    let mut tasks = Vec::new();
    for _ in 0..12 {
        tasks.push(world.submit(plan, json!({})).await);
    }
    let began = world.now();
    let _working = world.work(with([counted]), |settings| settings.concurrency = 3);
    for task in tasks {
        world.ended(task).await;
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert_eq!(world.now().since(began).as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn results_of_steps_that_only_come_before_are_not_handed_on() {
    let world = World::new();
    let seen = RecordingHandler::default();
    let definition = json!({
        "name": "in_turn", "concurrent": false,
        "step_templates": [{ "name": "a", "handler_class": "noop" }, { "name": "b", "handler_class": "seen" }],
    });
    let plan = world.whole_template(definition).await;
    let task = world.submit(plan, json!({})).await;
    let _working = world.work(with([Registration::new("seen", seen.clone())]), |_| {});
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!(seen.steps()[0].dependencies().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn changed_inputs_take_the_place_of_the_context() {
    let world = World::new();
    let seen = RecordingHandler::default();
    let task = world.task(json!([{ "name": "a", "handler_class": "seen" }]), json!({ "n": 1 })).await;
    let inputs = Some(json!({ "n": 2 }));
    let update = Command::UpdateStep { step: task.step(0), inputs, retry_limit: None, by: "me".to_owned() };
    world.store.command(update).await.expect("in memory").expect("allowed");
    let _working = world.work(with([Registration::new("seen", seen.clone())]), |_| {});
    world.ended(task).await;
    assert_eq!(seen.steps()[0].context(), &json!({ "n": 2 }));
}

#[tokio::test(start_paused = true)]
async fn what_a_step_logs_goes_to_the_sink_of_the_runner() {
    let world = World::new();
    let talks = handler_fn("talks", |_: Value, step: StepContext| async move {
        step.log("one\ntwo");
        Ok::<_, HandlerError>(())
    });
    let task = world.task(json!([{ "name": "a", "handler_class": "talks" }]), json!({})).await;
    let working = world.work(with([talks]), |_| {});
    world.ended(task).await;
    assert_eq!(working.log.take(), ["one", "two"]);
}
