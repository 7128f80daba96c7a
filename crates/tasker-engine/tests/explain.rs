//! Everything that waits says why.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Bench, pair};
use tasker_core::{Failure, FailureKind, Namespace, TaskId, When};
use tasker_store::{Command, Target, WorkerRecord};

async fn begin() -> (Bench, TaskId) {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let task = bench.submit("pair", json!({})).await;
    (bench, task)
}

async fn sentence(bench: &Bench, target: Target) -> String {
    bench.engine.explain(target).await.expect("it exists").sentence
}

#[tokio::test]
async fn a_ready_step_without_a_worker_says_whose_handler_is_missing() {
    let (bench, task) = begin().await;
    let expected = r#"The task is pending: a is ready, but no live worker offers the handler "work" on queue "default"."#;
    assert_eq!(sentence(&bench, Target::Task(task)).await, expected);
}

#[tokio::test]
async fn a_worker_that_was_not_seen_for_a_minute_is_not_live() {
    let (bench, task) = begin().await;
    bench.enlist().await;
    let busy = "The task is pending: a is ready since 2026-09-21T14:13:20.000Z and waits for a free slot of 1 worker(s).";
    assert_eq!(sentence(&bench, Target::Task(task)).await, busy);
    bench.clock.advance(Duration::from_secs(61));
    assert!(sentence(&bench, Target::Task(task)).await.contains("no live worker"));
}

/// Two steps that do not wait for each other, one of them at work for a worker that offers nothing to all.
async fn begin_alone() -> (Bench, TaskId) {
    let bench = Bench::new();
    let steps = json!([{ "name": "a", "handler_class": "work" }, { "name": "b", "handler_class": "work" }]);
    bench.register(json!({ "name": "apart", "step_templates": steps })).await;
    let task = bench.submit("apart", json!({})).await;
    bench.claim_some(1).await;
    let offered = bench.record();
    let alone = WorkerRecord { queues: Vec::new(), handlers: Vec::new(), ..offered };
    bench.store.beat(alone).await.expect("memory does not fail");
    (bench, task)
}

#[tokio::test]
async fn a_worker_that_is_there_for_one_task_serves_its_ready_steps() {
    let (bench, task) = begin_alone().await;
    let ready = "Step b is ready since 2026-09-21T14:13:20.000Z and waits for a free slot of 1 worker(s).";
    assert_eq!(sentence(&bench, Target::Step(task.step(1))).await, ready);
}

#[tokio::test]
async fn a_worker_that_is_there_for_one_task_serves_no_other() {
    let (bench, _) = begin_alone().await;
    let other = bench.submit("apart", json!({})).await;
    assert!(sentence(&bench, Target::Task(other)).await.contains("no live worker"));
}

#[tokio::test]
async fn a_step_at_work_says_who_holds_its_lease() {
    let (bench, task) = begin().await;
    bench.enlist().await;
    bench.claim().await;
    let expected = "The task is in progress: a is at work in attempt 1: \
                    worker host:1 holds its lease until 2026-09-21T14:13:50.000Z.";
    assert_eq!(sentence(&bench, Target::Task(task)).await, expected);
    let waits = "Step b waits for a (in_progress).";
    assert_eq!(sentence(&bench, Target::Step(task.step(1))).await, waits);
}

#[tokio::test]
async fn a_step_whose_lease_ran_out_is_not_at_work() {
    let (bench, task) = begin().await;
    bench.enlist().await;
    bench.claim().await;
    bench.clock.advance(Duration::from_secs(30));
    let expected = "The task is in progress: a was begun in attempt 1, but worker host:1 has not renewed its \
                    lease, which ran out at 2026-09-21T14:13:50.000Z; it will be given to another worker.";
    assert_eq!(sentence(&bench, Target::Task(task)).await, expected);
    let explanation = bench.engine.explain(Target::Step(task.step(0))).await.expect("it exists");
    let data = serde_json::to_value(&explanation.steps[0].reasons).expect("plain data");
    assert_eq!(
        (&data[0]["reason"], &data[0]["until"], &data[0]["attempts_left"]),
        (&json!("lease_expired"), &json!("2026-09-21T14:13:50.000000Z"), &json!(2))
    );
}

#[tokio::test]
async fn a_lease_that_ran_out_in_the_last_attempt_says_that_there_is_no_other() {
    let (bench, task) = begin().await;
    let step = task.step(0);
    let last = Command::UpdateStep { step, inputs: None, retry_limit: Some(1), by: "ada".to_owned() };
    bench.engine.command(last).await.expect("allowed");
    bench.claim().await;
    bench.clock.advance(Duration::from_secs(31));
    let sentence = sentence(&bench, Target::Step(step)).await;
    assert!(
        sentence.ends_with("ran out at 2026-09-21T14:13:50.000Z; that was its last attempt."),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_step_in_backoff_says_when_it_is_tried_again_and_what_went_wrong() {
    let (bench, task) = begin().await;
    let lease = bench.claim().await.remove(0);
    let failure = Failure::new(FailureKind::Retryable, "the line is dead");
    bench.settle(lease.retry(failure, When::After(Duration::from_secs(8)))).await;
    let expected = "The task is in progress: a failed in attempt 1 (the line is dead) \
                    and will be tried again at 2026-09-21T14:13:28.000Z.";
    assert_eq!(sentence(&bench, Target::Task(task)).await, expected);
}

#[tokio::test]
async fn a_permanent_failure_says_that_it_needs_help() {
    let (bench, task) = begin().await;
    let lease = bench.claim().await.remove(0);
    bench.settle(lease.fail(Failure::new(FailureKind::Permanent, "no such card"))).await;
    let expected = "The task is blocked by failures: a failed for good (no such card); retry or resolve it.";
    assert_eq!(sentence(&bench, Target::Task(task)).await, expected);
}

#[tokio::test]
async fn a_step_behind_one_that_failed_for_good_names_it() {
    let (bench, task) = begin().await;
    let lease = bench.claim().await.remove(0);
    bench.settle(lease.fail(Failure::new(FailureKind::Permanent, "no such card"))).await;
    let expected = "Step b waits for a (error) and cannot run without help: \
                    a failed for good (no such card); retry or resolve it.";
    assert_eq!(sentence(&bench, Target::Step(task.step(1))).await, expected);
    bench.engine.cancel(Target::Step(task.step(0)), "ada", None).await.expect("allowed");
    let expected = "Step b waits for a (cancelled) and cannot run without help: a is cancelled.";
    assert_eq!(sentence(&bench, Target::Step(task.step(1))).await, expected);
}

#[tokio::test]
async fn a_pause_does_not_hide_what_blocks_a_task() {
    let (bench, task) = begin().await;
    let lease = bench.claim().await.remove(0);
    bench.settle(lease.fail(Failure::new(FailureKind::Permanent, "no such card"))).await;
    let pause = Command::Pause { task, by: "ada".to_owned(), reason: None };
    bench.engine.command(pause).await.expect("allowed");
    let sentence = sentence(&bench, Target::Task(task)).await;
    assert!(
        sentence.starts_with("The task is blocked by failures: a failed for good (no such card)"),
        "{sentence}"
    );
    assert!(sentence.ends_with("; it is paused by ada since 2026-09-21T14:13:20.000Z."), "{sentence}");
}

#[tokio::test]
async fn what_is_paused_says_by_whom() {
    let (bench, task) = begin().await;
    let pause = Command::Pause { task, by: "ada".to_owned(), reason: Some("audit".to_owned()) };
    bench.engine.command(pause).await.expect("allowed");
    let paused = "The task is pending: it is paused by ada since 2026-09-21T14:13:20.000Z.";
    assert_eq!(sentence(&bench, Target::Task(task)).await, paused);
    let data = serde_json::to_value(bench.engine.explain(Target::Task(task)).await.expect("it exists"));
    let reason = &data.expect("plain data")["steps"][0]["reasons"][0];
    assert_eq!(
        (&reason["reason"], &reason["by"], &reason["why"]),
        (&json!("task_paused"), &json!("ada"), &json!("audit"))
    );
}

#[tokio::test]
async fn what_is_held_by_its_namespace_says_so() {
    let (bench, task) = begin().await;
    bench.enlist().await;
    let namespace = Namespace::default();
    let pause = Command::PauseNamespace { namespace, by: "ada".to_owned(), reason: None };
    bench.engine.command(pause).await.expect("allowed");
    let held = "Step a is held: the namespace is paused by ada since 2026-09-21T14:13:20.000Z.";
    assert_eq!(sentence(&bench, Target::Step(task.step(0))).await, held);
    let once =
        "The task is pending: a is held: the namespace is paused by ada since 2026-09-21T14:13:20.000Z.";
    assert_eq!(sentence(&bench, Target::Task(task)).await, once);
    assert!(bench.claim().await.is_empty(), "nothing of a paused namespace is claimed");
}

#[tokio::test]
async fn an_ended_task_says_when_it_ended() {
    let (bench, task) = begin().await;
    for _ in 0..2 {
        let lease = bench.claim().await.remove(0);
        bench.settle(lease.complete(Value::Null)).await;
    }
    assert_eq!(
        sentence(&bench, Target::Task(task)).await,
        "The task was completed at 2026-09-21T14:13:20.000Z."
    );
    assert_eq!(sentence(&bench, Target::Step(task.step(0))).await, "Step a is complete.");
}

#[tokio::test]
async fn what_does_not_exist_is_said_not_to() {
    let (bench, task) = begin().await;
    let error = bench.engine.explain(Target::Step(task.step(9))).await.expect_err("there are two steps");
    assert!(error.to_string().ends_with("does not exist"), "{error}");
}
