//! A store that cannot be reached, loses answers, or refuses what it is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tasker_core::{FailureKind, State};
use tasker_handler::{HandlerError, Registry, StepContext, handler_fn};
use tasker_store::UpkeepStore;
use tokio::sync::Notify;

use crate::support::faulty::FaultyStore;
use crate::support::world::{World, registry};

fn faulty(world: &World) -> Arc<FaultyStore> {
    Arc::new(FaultyStore::over(Arc::clone(&world.store)))
}

fn cut(store: &FaultyStore, is_cut: bool) {
    store.is_cut.store(is_cut, Ordering::SeqCst);
}

/// A handler that is done when it is let go, or cancelled.
fn held(started: &Arc<Notify>, go_on: &Arc<Notify>, runs: &Arc<AtomicU32>) -> Registry {
    let (started, go_on, runs) = (Arc::clone(started), Arc::clone(go_on), Arc::clone(runs));
    let mut registry = registry();
    let handler = handler_fn("held", move |_: Value, step: StepContext| {
        let (started, go_on, runs) = (Arc::clone(&started), Arc::clone(&go_on), Arc::clone(&runs));
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
            started.notify_one();
            tokio::select! {
                () = go_on.notified() => Ok::<_, HandlerError>("let go"),
                () = step.cancellation().cancelled() => Err(HandlerError::retryable("cancelled")),
            }
        }
    });
    registry.register(handler).expect("a free name");
    registry
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_kept_until_the_store_is_back_and_settled_once() {
    let world = World::new();
    let store = faulty(&world);
    let (started, go_on, runs) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::default());
    let task = world.task(json!([{ "name": "a", "handler_class": "held" }]), json!({})).await;
    let working = world.work_on(Arc::clone(&store) as _, held(&started, &go_on, &runs), |_| {});
    started.notified().await;
    cut(&store, true);
    go_on.notify_one();
    // sleep: paused time, shorter than the lease
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(store.failed.load(Ordering::SeqCst) > 3);
    assert_eq!(world.state(task).await, State::InProgress);
    cut(&store, false);
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!((runs.load(Ordering::SeqCst), store.has_settled_twice()), (1, false));
    let report = working.stop().await;
    assert_eq!((report.completed, report.stale, report.unsettled), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_outlives_its_lease_as_long_as_nobody_took_the_step() {
    let world = World::new();
    let store = faulty(&world);
    let (started, go_on, runs) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::default());
    let task = world.task(json!([{ "name": "a", "handler_class": "held" }]), json!({})).await;
    let _working = world.work_on(Arc::clone(&store) as _, held(&started, &go_on, &runs), |_| {});
    started.notified().await;
    cut(&store, true);
    go_on.notify_one();
    // sleep: paused time, longer than the lease
    tokio::time::sleep(Duration::from_mins(2)).await;
    cut(&store, false);
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!(world.step(task, 0).await.results, Some(json!("let go")));
}

#[tokio::test(start_paused = true)]
async fn while_outcomes_wait_their_leases_are_renewed_as_soon_as_the_store_answers() {
    let world = World::new();
    let mut store = FaultyStore::over(Arc::clone(&world.store));
    store.refuse_settling = true;
    let store = Arc::new(store);
    let (started, go_on, runs) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::default());
    let task = world.task(json!([{ "name": "a", "handler_class": "held" }]), json!({})).await;
    let _working = world.work_on(Arc::clone(&store) as _, held(&started, &go_on, &runs), |_| {});
    started.notified().await;
    go_on.notify_one();
    for _ in 0..10 {
        // sleep: paused time, ten leases long
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert!(world.store.expired(1).await.expect("in memory").is_empty());
    }
    assert_eq!(world.state(task).await, State::InProgress);
}

#[tokio::test(start_paused = true)]
async fn a_settlement_whose_answer_was_lost_is_not_carried_out_twice() {
    let world = World::new();
    let store = faulty(&world);
    let (started, go_on, runs) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::default());
    let steps = json!([
        { "name": "a", "handler_class": "held" },
        { "name": "b", "handler_class": "noop", "depends_on_step": "a" },
    ]);
    let task = world.task(steps, json!({})).await;
    let working = world.work_on(Arc::clone(&store) as _, held(&started, &go_on, &runs), |settings| {
        settings.lease = Duration::from_secs(3);
    });
    started.notified().await;
    store.lose_answers.store(1, Ordering::SeqCst);
    go_on.notify_one();
    assert_eq!(world.step_is(task, 0, State::Complete).await.attempts, 1);
    // The lease on the second step was in the lost answer; it runs out, and somebody rescues it.
    let second = world.step_is(task, 1, State::InProgress).await;
    assert_eq!(second.attempts, 1);
    // sleep: paused time, until the runner has asked again
    tokio::time::sleep(Duration::from_secs(1)).await;
    let report = working.counters.snapshot();
    assert_eq!((report.completed, report.stale, runs.load(Ordering::SeqCst)), (0, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_handler_whose_lease_ran_out_out_of_reach_is_stopped() {
    let world = World::new();
    let store = faulty(&world);
    let (started, go_on, runs) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::default());
    let task = world.task(json!([{ "name": "a", "handler_class": "held" }]), json!({})).await;
    let working = world.work_on(Arc::clone(&store) as _, held(&started, &go_on, &runs), |_| {});
    started.notified().await;
    cut(&store, true);
    // sleep: paused time, just before the lease runs out
    tokio::time::sleep(Duration::from_secs(27)).await;
    assert_eq!(working.counters.snapshot().busy, 1);
    // sleep: paused time, to its end
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(working.counters.snapshot().busy, 0);
    cut(&store, false);
    let step = world.step_is(task, 0, State::Error).await;
    assert_eq!(step.failure.map(|failure| failure.kind), Some(FailureKind::LeaseExpired));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_not_renewed_is_not_believed_in() {
    let world = World::new();
    let store = faulty(&world);
    let (started, go_on, runs) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::default());
    let steps = json!([{ "name": "a", "handler_class": "held", "default_retry_limit": 1 }]);
    let task = world.task(steps, json!({})).await;
    let _working = world.work_on(Arc::clone(&store) as _, held(&started, &go_on, &runs), |_| {});
    started.notified().await;
    store.locks_rows.store(true, Ordering::SeqCst);
    assert_eq!(world.ended(task).await, State::Error);
    let failure = world.step(task, 0).await.failure.expect("it failed");
    assert_eq!(failure.code.as_deref(), Some("LEASE_EXPIRED"));
}

#[tokio::test(start_paused = true)]
async fn a_wait_reads_no_history_but_its_own() {
    let world = World::new();
    let store = faulty(&world);
    let wait =
        |name: &str| json!({ "name": name, "handler_class": "wait", "handler_config": { "seconds": 5 } });
    let task = world.task(json!([wait("a"), wait("b")]), json!({})).await;
    let _working = world.work_on(Arc::clone(&store) as _, registry(), |_| {});
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!(store.whole_histories.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn results_that_the_store_refuses_fail_their_own_step_alone() {
    let world = World::new();
    let mut store = FaultyStore::over(Arc::clone(&world.store));
    store.refused = Some(json!("\0"));
    let store = Arc::new(store);
    let plan = world
        .template(json!([{
            "name": "a", "handler_class": "noop", "handler_config": { "results": "{{ context.results }}" },
        }]))
        .await;
    let mut tasks = Vec::new();
    for results in ["x", "\0", "y"] {
        tasks.push(world.submit(plan, json!({ "results": results })).await);
    }
    let working = world.work_on(Arc::clone(&store) as _, registry(), |_| {});
    for (task, state) in tasks.iter().zip([State::Complete, State::Error, State::Complete]) {
        assert_eq!(world.ended(*task).await, state);
    }
    let failure = world.step(tasks[1], 0).await.failure.expect("it failed");
    assert_eq!(failure.code.as_deref(), Some("RESULTS_REFUSED"));
    assert!(failure.message.ends_with("unsupported Unicode escape sequence"), "{}", failure.message);
    let report = working.stop().await;
    assert_eq!((report.completed, report.failed, report.unsettled), (2, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_at_the_start_is_waited_for() {
    let world = World::new();
    let store = faulty(&world);
    cut(&store, true);
    let config = json!({ "results": "{{ context.n }}" });
    let step = json!([{ "name": "a", "handler_class": "noop", "handler_config": config }]);
    let task = world.task(step, json!({ "n": 1 })).await;
    let working = world.work_on(Arc::clone(&store) as _, registry(), |_| {});
    // sleep: paused time
    tokio::time::sleep(Duration::from_mins(5)).await;
    cut(&store, false);
    assert_eq!(world.ended(task).await, State::Complete);
    assert_eq!(working.stop().await.completed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_cannot_settle_gives_up_when_the_drain_is_long_over() {
    let world = World::new();
    let store = faulty(&world);
    let (started, go_on, runs) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::default());
    world.task(json!([{ "name": "a", "handler_class": "held" }]), json!({})).await;
    let working = world.work_on(Arc::clone(&store) as _, held(&started, &go_on, &runs), |_| {});
    started.notified().await;
    cut(&store, true);
    go_on.notify_one();
    let asked = world.now();
    let report = working.stop().await;
    assert_eq!((report.completed, report.unsettled), (0, 1));
    assert!(world.now().since(asked) <= Duration::from_secs(71));
}

#[tokio::test(start_paused = true)]
async fn an_idle_runner_asks_for_work_only_now_and_then() {
    let world = World::new();
    let store = faulty(&world);
    let _working = world.work_on(Arc::clone(&store) as _, registry(), |_| {});
    // sleep: paused time; the first question and its answer
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(store.settle_calls.load(Ordering::SeqCst), 1);
    // sleep: paused time, up to the poll
    tokio::time::sleep(Duration::from_secs(58)).await;
    assert_eq!(store.settle_calls.load(Ordering::SeqCst), 1);
    // sleep: paused time, past the poll
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(store.settle_calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_the_store_refuses_takes_no_outcome_with_it() {
    let world = World::new();
    let store = faulty(&world);
    let (started, go_on, runs) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::default());
    let task = world.task(json!([{ "name": "a", "handler_class": "held" }]), json!({})).await;
    let working = world.work_on(Arc::clone(&store) as _, held(&started, &go_on, &runs), |_| {});
    started.notified().await;
    store.refuse_claims.store(true, Ordering::SeqCst);
    go_on.notify_one();
    assert_eq!(world.ended(task).await, State::Complete);
    let next = world.task(json!([{ "name": "a", "handler_class": "noop" }]), json!({})).await;
    store.refuse_claims.store(false, Ordering::SeqCst);
    assert_eq!(world.ended(next).await, State::Complete);
    let report = working.stop().await;
    assert_eq!((report.completed, report.failed, report.unsettled), (2, 0, 0));
}
