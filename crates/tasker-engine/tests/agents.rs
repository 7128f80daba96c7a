//! The agents: what nobody asks for and yet must happen.

mod support;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use support::{Bench, pair};
use tasker_core::{Failure, FailureKind, State, When};
use tasker_engine::{Pruner, Rescuer, Scheduler};
use tasker_store::{Cause, Retention};
use tokio_util::sync::CancellationToken;

async fn begin() -> (Bench, tasker_core::TaskId) {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let task = bench.submit("pair", json!({})).await;
    (bench, task)
}

#[tokio::test]
async fn a_lease_that_ran_out_becomes_a_failed_attempt_once() {
    let (bench, task) = begin().await;
    let lease = bench.claim().await.remove(0);
    let mut rescuer = Rescuer::new(Arc::clone(&bench.store), 1);
    assert_eq!(rescuer.rescue().await.expect("memory does not fail"), 0, "it has not run out");
    bench.clock.advance(Duration::from_secs(31));
    assert_eq!(rescuer.rescue().await.expect("memory does not fail"), 1);
    assert_eq!(rescuer.rescue().await.expect("memory does not fail"), 0);
    bench.settle(lease.complete(Value::Null)).await;
    let history = bench.engine.history(task).await.expect("memory does not fail");
    let causes: Vec<_> = history.iter().map(|transition| transition.cause).collect();
    assert_eq!(causes, [Cause::Submitted, Cause::Started, Cause::Claimed, Cause::LeaseExpired]);
}

#[tokio::test(start_paused = true)]
async fn workers_are_told_when_a_retry_is_due_and_not_before() {
    let (bench, _) = begin().await;
    let mut scheduler = Scheduler::new(Arc::clone(&bench.store));
    scheduler.look().await.expect("memory does not fail");
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { scheduler.signal_due(&shutdown).await }
    });
    let lease = bench.claim().await.remove(0);
    let mut ready = bench.store.wake().ready();
    let failure = Failure::new(FailureKind::Retryable, "not yet");
    bench.settle(lease.retry(failure, When::After(Duration::from_secs(8)))).await;
    let begun = tokio::time::Instant::now();
    ready.mark_unchanged();
    ready.changed().await.expect("the store lives");
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(8) && waited < Duration::from_millis(8_010), "{waited:?}");
    shutdown.cancel();
    running.await.expect("it stops when told to");
}

#[tokio::test]
async fn old_tasks_are_removed_and_unfinished_ones_are_kept() {
    let (bench, task) = begin().await;
    let unfinished = bench.submit("pair", json!({})).await;
    bench.engine.cancel(tasker_store::Target::Task(task), "ada", None).await.expect("allowed");
    let day = Duration::from_hours(24);
    let pruner = Pruner::new(Arc::clone(&bench.store), Retention { ended: day, failed: day });
    assert_eq!(pruner.prune().await.expect("memory does not fail"), 0);
    bench.clock.advance(day + Duration::from_secs(1));
    assert_eq!(pruner.prune().await.expect("memory does not fail"), 1);
    assert!(bench.engine.task(task).await.expect("memory does not fail").is_none());
    assert!(bench.engine.task(unfinished).await.expect("memory does not fail").is_some());
}

#[tokio::test]
async fn a_follower_sees_every_transition_in_order_and_waits_for_more() {
    let (bench, task) = begin().await;
    let relay = bench.engine.relay();
    let mut feed = Box::pin(relay.follow(0));
    let first = feed.next().await.expect("endless").expect("memory does not fail");
    assert_eq!((first.task, first.cause), (task, Cause::Submitted));
    let next = tokio::spawn(async move { feed.next().await });
    bench.claim().await;
    let next = next.await.expect("no panic").expect("endless").expect("memory does not fail");
    assert_eq!(next.cause, Cause::Started);
}

#[tokio::test]
async fn waiting_for_a_task_ends_with_its_verdict() {
    let (bench, task) = begin().await;
    let engine = bench.engine.clone();
    let waiting = tokio::spawn(async move { engine.wait(task).await });
    for _ in 0..2 {
        let lease = bench.claim().await.remove(0);
        bench.settle(lease.complete(Value::Null)).await;
    }
    assert_eq!(waiting.await.expect("no panic").expect("memory does not fail"), State::Complete);
}
