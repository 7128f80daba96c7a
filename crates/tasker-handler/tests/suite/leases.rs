//! Leases: lost, kept, and handed back; workers that come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, State, TaskId, When};
use tasker_handler::testing::RecordingHandler;
use tasker_handler::{HandlerError, Registration, Registry, StepContext, handler_fn};
use tasker_store::{
    Command, Guard, SettleRequest, Settled, Settlement, Target, TaskStore, UpkeepStore, Verdict, WorkStore,
};
use tokio::sync::Notify;

use crate::support::world::{World, registry};

const MINUTE: Duration = Duration::from_mins(1);

/// What a handler that runs until it is cancelled has seen.
#[derive(Clone, Default)]
struct Endless {
    started: Arc<Notify>,
    cancelled: Arc<AtomicU32>,
}

impl Endless {
    /// Answers `done` when it is cancelled.
    fn offered(&self) -> Registry {
        let Self { started, cancelled } = self.clone();
        offered(handler_fn("endless", move |_: Value, step: StepContext| {
            let (started, cancelled) = (Arc::clone(&started), Arc::clone(&cancelled));
            async move {
                started.notify_one();
                step.cancellation().cancelled().await;
                cancelled.fetch_add(1, Ordering::SeqCst);
                Err::<(), _>(HandlerError::retryable("cancelled"))
            }
        }))
    }

    async fn task(&self, world: &World) -> TaskId {
        world.task(json!([{ "name": "a", "handler_class": "endless" }]), json!({})).await
    }
}

fn offered(registration: Registration) -> Registry {
    let mut registry = registry();
    registry.register(registration).expect("a free name");
    registry
}

/// A handler that does not notice when it is cancelled.
fn deaf(started: &Arc<Notify>) -> Registry {
    let started = Arc::clone(started);
    offered(handler_fn("endless", move |_: Value, _| {
        started.notify_one();
        std::future::pending::<Result<(), HandlerError>>()
    }))
}

async fn cancel(world: &World, task: TaskId) {
    let cancel = Command::Cancel { target: Target::Task(task), by: "me".to_owned(), reason: None };
    world.store.command(cancel).await.expect("in memory").expect("allowed");
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_told_when_its_step_is_cancelled_and_its_answer_is_dropped() {
    let world = World::new();
    let endless = Endless::default();
    let task = endless.task(&world).await;
    let working = world.work(endless.offered(), |_| {});
    endless.started.notified().await;
    let cancelled_at = world.now();
    cancel(&world, task).await;
    while working.counters.snapshot().lost == 0 {
        // sleep: paused time
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(world.now().since(cancelled_at) <= Duration::from_millis(20), "it is told at once");
    assert_eq!(endless.cancelled.load(Ordering::SeqCst), 1);
    let report = working.stop().await;
    assert_eq!((report.attempts(), report.stale, report.lost, report.busy), (0, 0, 1, 0));
    assert_eq!(world.step(task, 0).await.state, State::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_notice_is_dropped_after_the_grace() {
    let world = World::new();
    let started = Arc::new(Notify::new());
    let task = Endless::default().task(&world).await;
    let working = world.work(deaf(&started), |_| {});
    started.notified().await;
    cancel(&world, task).await;
    // sleep: paused time; renewal after 10 s, grace of 10 s, and the upkeep's interval
    tokio::time::sleep(Duration::from_secs(26)).await;
    let report = working.counters.snapshot();
    assert_eq!((report.lost, report.busy), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_attempt_keeps_its_lease() {
    let world = World::new();
    let long = offered(handler_fn("endless", |_: Value, step: StepContext| async move {
        step.progress(json!({ "percent": 50 }));
        // sleep: paused time, far beyond the lease
        tokio::time::sleep(10 * MINUTE).await;
        Ok::<_, HandlerError>(step.latest_progress())
    }));
    let task = Endless::default().task(&world).await;
    let _working = world.work(long, |_| {});
    assert_eq!(world.step_is(task, 0, State::InProgress).await.attempts, 1);
    for _ in 0..9 {
        // sleep: paused time
        tokio::time::sleep(MINUTE).await;
        assert!(world.store.expired(10).await.expect("in memory").is_empty());
    }
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!(world.step(task, 0).await.results, Some(json!({ "percent": 50 })));
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_shuts_down_lets_attempts_end_and_claims_no_more() {
    let world = World::new();
    let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begun, released) = (Arc::clone(&started), Arc::clone(&go_on));
    let held = offered(handler_fn("held", move |_: Value, _| {
        let (begun, released) = (Arc::clone(&begun), Arc::clone(&released));
        async move {
            begun.notify_one();
            released.notified().await;
            Ok::<_, HandlerError>("done")
        }
    }));
    let plan = world.template(json!([{ "name": "a", "handler_class": "held" }])).await;
    let first = world.submit(plan, json!({})).await;
    let working = world.work(held, |_| {});
    started.notified().await;
    working.shutdown.cancel();
    let id = working.id;
    let draining = async || {
        let workers = world.store.workers(world.now().minus(MINUTE)).await.expect("in memory");
        workers.iter().any(|worker| worker.id == id && worker.draining)
    };
    while !draining().await {
        tokio::task::yield_now().await;
    }
    let second = world.submit(plan, json!({})).await;
    go_on.notify_one();
    let report = working.stop().await;
    assert_eq!((report.completed, report.unsettled), (1, 0));
    assert_eq!(world.state(first).await, State::Complete);
    assert_eq!(world.step(second, 0).await.attempts, 0);
    assert!(world.store.workers(world.now().minus(MINUTE)).await.expect("in memory").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_before_the_drain_is_over_goes_to_another_worker_at_once() {
    for is_deaf in [false, true] {
        let world = World::new();
        let (endless, started) = (Endless::default(), Arc::new(Notify::new()));
        let task = endless.task(&world).await;
        let offered_first = if is_deaf { deaf(&started) } else { endless.offered() };
        let first = world.work(offered_first, |_| {});
        if is_deaf {
            started.notified().await;
        } else {
            endless.started.notified().await;
        }
        let asked = world.now();
        let report = first.stop().await;
        assert_eq!((report.retried, report.unsettled), (1, 0));
        let seconds = world.now().since(asked).as_secs();
        let expected = if is_deaf { 40..=43 } else { 30..=30 };
        assert!(expected.contains(&seconds), "{seconds} s");
        let failure = world.step(task, 0).await.failure.expect("it failed");
        assert_eq!(failure.message, "worker shut down before the step ended");
        let stopped = world.now();
        let second = world.work(offered(Registration::new("endless", RecordingHandler::default())), |_| {});
        assert_eq!(world.ended(task).await, State::Complete);
        assert_eq!(world.now().since(stopped), Duration::ZERO);
        drop(second);
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_says_that_it_is_there() {
    let world = World::new();
    let working = world.work(registry(), |settings| {
        settings.name = "host-1".to_owned();
        settings.concurrency = 7;
    });
    let began = world.now();
    // sleep: paused time, between two beats
    tokio::time::sleep(Duration::from_secs(25)).await;
    let workers = world.store.workers(began).await.expect("in memory");
    let worker = &workers[0];
    assert_eq!((worker.id, worker.name.as_str(), worker.concurrency), (working.id, "host-1", 7));
    assert_eq!(worker.handlers.len(), 6);
    assert_eq!((worker.started_at.since(began).as_secs(), worker.seen_at.since(began).as_secs()), (0, 20));
    working.stop().await;
    assert!(world.store.workers(began).await.expect("in memory").is_empty());
}

/// Takes the leases that have run out for failed attempts, as the engine's rescuer does.
async fn rescue(world: &World) -> usize {
    let expired = world.store.expired(100).await.expect("in memory");
    let settlements = expired.iter().map(|expired| Settlement {
        key: expired.key,
        guard: Guard::Expired,
        verdict: Verdict::Retry {
            failure: Failure::new(FailureKind::LeaseExpired, "the worker went away"),
            when: When::After(Duration::from_secs(1)),
        },
    });
    let request = SettleRequest { settlements: settlements.collect(), claim: None };
    world.store.settle(request).await.expect("in memory");
    expired.len()
}

#[tokio::test(start_paused = true)]
async fn w9_the_step_of_a_killed_worker_is_made_again_by_another() {
    let world = World::new();
    let endless = Endless::default();
    let task = endless.task(&world).await;
    let first = world.work(endless.offered(), |_| {});
    endless.started.notified().await;
    first.kill();
    let second = RecordingHandler::default();
    let _working = world.work(offered(Registration::new("endless", second.clone())), |_| {});
    assert_eq!(rescue(&world).await, 0);
    // sleep: paused time, until the lease has run out
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(rescue(&world).await, 1);
    assert_eq!(world.ended(task).await, State::Complete);
    let attempts: Vec<u32> = second.steps().iter().map(StepContext::attempt).collect();
    assert_eq!(attempts, [2]);
}

#[tokio::test(start_paused = true)]
async fn w10_two_workers_never_make_the_same_attempt() {
    let world = World::new();
    let counted = RecordingHandler::default();
    let steps: Vec<Value> =
        (0..60).map(|number| json!({ "name": format!("s{number}"), "handler_class": "counted" })).collect();
    let task = world.task(json!(steps), json!({})).await;
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let registry = offered(Registration::new("counted", counted.clone()));
            world.work(registry, |settings| settings.concurrency = 4)
        })
        .collect();
    assert_eq!(world.ended(task).await, State::Complete);
    let mut keys: Vec<String> = counted.steps().iter().map(StepContext::idempotency_key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), counted.steps().len()), (60, 60));
    let mut shares = Vec::new();
    for worker in workers {
        shares.push(worker.stop().await.completed);
    }
    assert_eq!(shares.iter().sum::<u64>(), 60);
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn an_end_that_comes_after_a_rescue_changes_nothing() {
    let world = World::new();
    let endless = Endless::default();
    let task = endless.task(&world).await;
    let _working = world.work(endless.offered(), |_| {});
    endless.started.notified().await;
    let key = tasker_core::LeaseKey { step: task.step(0), attempt: 1 };
    let worker = world.step(task, 0).await.lease.expect("at work").0;
    cancel(&world, task).await;
    let late =
        Settlement { key, guard: Guard::Held { worker }, verdict: Verdict::Complete { results: json!(1) } };
    let reply = world.store.settle(SettleRequest { settlements: vec![late], claim: None }).await;
    assert_eq!(reply.expect("in memory").settled, [Settled::Stale]);
    assert_eq!(world.step(task, 0).await.state, State::Cancelled);
}
