//! Calling off tasks and steps.

use serde_json::json;
use tasker_core::State;

use crate::command::{Command, CommandError, Done, Target};
use crate::conformance::bench::{Bench, LEASE, assert_lines, worker};
use crate::work::{Renewed, Settled};

/// C12.
pub(crate) async fn a_cancelled_task_has_only_ended_steps(bench: &Bench) {
    let task = bench.submit("done, failed, running, ready -> child").await;
    let mut hand = bench.claim(3).await;
    bench.complete(hand.take("done")).await;
    bench.retry_in(hand.take("failed"), 5).await;
    bench.advance(1);
    assert_eq!(bench.cancel(task).await, Ok(Done { steps: 4, task_state: Some(State::Cancelled) }));
    assert_eq!(
        bench.picture(task).await,
        "cancelled: done complete, failed cancelled#1, running cancelled#1, ready cancelled, child cancelled"
    );
    let record = bench.task(task).await;
    assert_eq!((record.unfinished, record.active, record.ended_at), (0, 0, Some(bench.now())));
    for step in ["failed", "running", "ready", "child"] {
        assert_eq!(bench.step(task, step).await.ended_at, Some(bench.now()), "{step}");
    }
}

/// W11.
pub(crate) async fn a_cancelled_task_starts_nothing_further(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    let lease = bench.claim(1).await.one();
    bench.cancel(task).await.expect("cancelled");
    assert_eq!(bench.renew(worker(1), &[lease.key], LEASE).await, [Renewed::Lost], "the handler is told");
    let (reply, hand) = bench.settle_and_claim(vec![lease.complete(json!("too late"))], 9).await;
    assert_eq!((reply.settled, reply.verdicts, hand.len()), (vec![Settled::Stale], vec![], 0));
    bench.advance(1_000);
    assert_eq!(bench.expired().await, []);
    assert!(bench.claim(9).await.is_empty());
    assert_lines(
        &bench.history(task).await,
        "task → pending submitted
         task pending → in_progress started
         a pending → in_progress claimed #1
         a in_progress → cancelled task_cancelled by ann
         b pending → cancelled task_cancelled by ann
         task in_progress → cancelled cancelled by ann",
    );
}

pub(crate) async fn the_reason_of_a_cancellation_is_kept(bench: &Bench) {
    let task = bench.submit("a, b").await;
    bench.cancel_step(task, "a").await.expect("cancelled");
    bench.cancel(task).await.expect("cancelled");
    let other = bench.submit("a").await;
    let command = Command::Cancel { target: Target::Task(other), by: "bob".to_owned(), reason: None };
    bench.order(command).await.expect("cancelled");
    for (task, by, details) in
        [(task, "ann", json!({"reason": "changed my mind"})), (other, "bob", json!(null))]
    {
        for transition in bench.transitions(task).await.iter().filter(|t| t.to == State::Cancelled) {
            assert_eq!(
                (transition.by.as_deref(), &transition.details),
                (Some(by), &details),
                "{transition:?}"
            );
            assert_eq!(transition.attempt, None);
        }
    }
}

/// C13.
pub(crate) async fn a_cancelled_task_is_not_cancelled_again(bench: &Bench) {
    let task = bench.submit("a").await;
    bench.cancel(task).await.expect("cancelled");
    let refused = bench.cancel(task).await;
    assert!(matches!(refused, Err(CommandError::Illegal(_))));
    assert_eq!(bench.told(task, &refused).await, "the task is cancelled: it cannot be cancelled");
}

/// C14, S10: a task in error can be cancelled, and so can one that is complete.
pub(crate) async fn a_task_that_is_blocked_or_complete_can_be_cancelled(bench: &Bench) {
    let task = bench.submit("a{once} -> b").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    assert_eq!(bench.cancel(task).await, Ok(Done { steps: 2, task_state: Some(State::Cancelled) }));
    let complete = bench.submit("a").await;
    bench.complete_everything().await;
    bench.advance(7);
    assert_eq!(bench.cancel(complete).await, Ok(Done { steps: 0, task_state: Some(State::Cancelled) }));
    assert_eq!(bench.picture(complete).await, "cancelled: a complete");
    assert_eq!(bench.task(complete).await.ended_at, Some(bench.now()), "its present end");
}

/// C17.
pub(crate) async fn a_cancelled_step_leaves_the_others_running(bench: &Bench) {
    let task = bench.submit("a, b").await;
    let lease = bench.claim(1).await.one();
    assert_eq!(
        bench.cancel_step(task, "b").await,
        Ok(Done { steps: 1, task_state: Some(State::InProgress) })
    );
    assert_eq!(bench.picture(task).await, "in_progress: a in_progress#1, b cancelled");
    let reply = bench.settle_all(vec![lease.complete(json!(1))]).await;
    assert_eq!(reply.verdicts, [(task, State::Complete)], "E8: it counts as ended");
}

pub(crate) async fn what_depends_on_a_cancelled_step_blocks_the_task(bench: &Bench) {
    let task = bench.submit("a -> b; c").await;
    bench.cancel_step(task, "a").await.expect("cancelled");
    assert_eq!(bench.picture(task).await, "pending: a cancelled, b pending(1 unmet), c pending(ready)");
    let lease = bench.claim(9).await.one();
    let reply = bench.settle_all(vec![lease.complete(json!(1))]).await;
    assert_eq!(reply.verdicts, [(task, State::Error)]);
    assert_eq!(bench.picture(task).await, "error: a cancelled, b pending(1 unmet), c complete");
    assert_eq!(bench.cancel_step(task, "b").await, Ok(Done { steps: 1, task_state: Some(State::Complete) }));
}

pub(crate) async fn a_task_is_judged_when_its_last_step_is_cancelled(bench: &Bench) {
    let task = bench.submit("a, b").await;
    bench.cancel_step(task, "a").await.expect("cancelled");
    let answer = bench.cancel_step(task, "b").await;
    assert_eq!(bench.told(task, &answer).await, "1 steps, task complete");
    assert_lines(
        &bench.history(task).await,
        "task → pending submitted
         a pending → cancelled cancelled by ann
         b pending → cancelled cancelled by ann
         task pending → in_progress started by ann
         task in_progress → complete completed by ann",
    );
}

pub(crate) async fn a_step_at_work_that_is_cancelled_is_lost_to_its_worker(bench: &Bench) {
    let task = bench.submit("a -> b; c").await;
    let mut hand = bench.claim(2).await;
    let a = hand.take("a");
    bench.cancel_step(task, "a").await.expect("cancelled");
    assert_eq!(bench.renew(worker(1), &[a.key], LEASE).await, [Renewed::Lost]);
    assert_eq!(bench.complete(a).await, Settled::Stale);
    assert_eq!(bench.picture(task).await, "in_progress: a cancelled#1, b pending(1 unmet), c in_progress#1");
    assert_eq!(bench.step(task, "a").await.results, None);
}

/// S9, as repaired.
pub(crate) async fn a_failed_step_that_is_cancelled_no_longer_blocks(bench: &Bench) {
    let task = bench.submit("a{once}, b").await;
    let mut hand = bench.claim(2).await;
    bench.fail(hand.take("a")).await;
    bench.complete(hand.take("b")).await;
    assert_eq!(bench.task(task).await.state, State::Error);
    bench.cancel_step(task, "a").await.expect("cancelled");
    assert_eq!(bench.picture(task).await, "complete: a cancelled#1, b complete");
    assert!(bench.step(task, "a").await.failure.is_some(), "what went wrong stays on record");
    assert_lines(
        &bench.history(task).await.lines().skip(6).collect::<Vec<_>>().join("\n"),
        "task in_progress → error blocked
         a error → cancelled cancelled by ann
         task error → pending retry_requested by ann
         task pending → in_progress started by ann
         task in_progress → complete completed by ann",
    );
}

pub(crate) async fn a_step_waiting_for_its_retry_can_be_cancelled(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 100).await;
    bench.cancel_step(task, "a").await.expect("cancelled");
    assert_eq!(bench.picture(task).await, "error: a cancelled#1, b pending(1 unmet)");
    bench.advance(100);
    assert!(bench.claim(9).await.is_empty());
}

pub(crate) async fn what_does_not_exist_is_not_cancelled(bench: &Bench) {
    let task = bench.submit("a").await;
    let unknown = bench.task_id();
    for (target, text) in [
        (Target::Task(unknown), format!("task {unknown} does not exist")),
        (Target::Step(unknown.step(0)), format!("step {} does not exist", unknown.step(0))),
        (Target::Step(task.step(1)), format!("step {} does not exist", task.step(1))),
    ] {
        let command = Command::Cancel { target, by: "ann".to_owned(), reason: None };
        assert_eq!(bench.order(command).await.expect_err("refused").to_string(), text);
    }
}

pub(crate) async fn a_paused_task_can_be_cancelled(bench: &Bench) {
    let task = bench.submit("a, b").await;
    bench.pause(task).await.expect("paused");
    bench.cancel(task).await.expect("cancelled");
    assert_eq!(bench.picture(task).await, "cancelled: a cancelled, b cancelled");
    assert!(bench.task(task).await.paused.is_some());
    assert_eq!(bench.resume(task).await, Ok(Done { steps: 0, task_state: Some(State::Cancelled) }));
    assert!(bench.claim(9).await.is_empty());
}
