//! Declaring steps and tasks done.

use serde_json::{Value, json};
use tasker_core::State;

use crate::command::{Command, CommandError, Done, Target};
use crate::conformance::bench::{Bench, assert_lines};

pub(crate) async fn a_resolved_step_counts_as_complete(bench: &Bench) {
    let task = bench.submit("a{once} -> b").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.advance(3);
    let answer = bench.resolve_step(task, "a", Some(json!({"by": "hand"}))).await;
    assert_eq!(answer, Ok(Done { steps: 1, task_state: Some(State::Pending) }));
    assert_eq!(bench.picture(task).await, "pending: a resolved_manually#1, b pending(ready)");
    assert_eq!(bench.inputs(task, "b").await.1, [(0, json!({"by": "hand"}))]);
    let step = bench.step(task, "a").await;
    assert_eq!((step.ended_at, step.results), (Some(bench.now()), Some(json!({"by": "hand"}))));
    assert!(step.failure.is_some(), "only success clears it");
    bench.complete_everything().await;
    assert_lines(
        &bench.history(task).await.lines().skip(5).collect::<Vec<_>>().join("\n"),
        "a error → resolved_manually resolved by ann
         task error → pending retry_requested by ann
         task pending → in_progress started
         b pending → in_progress claimed #1
         b in_progress → complete completed #1
         task in_progress → complete completed",
    );
}

pub(crate) async fn a_step_resolved_without_results_has_none(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    bench.resolve_step(task, "a", None).await.expect("resolved");
    assert_eq!(bench.step(task, "a").await.results, None);
    assert_eq!(bench.inputs(task, "b").await.1, [(0, Value::Null)]);
    let other = bench.submit("a").await;
    bench.resolve_step(other, "a", Some(Value::Null)).await.expect("resolved");
    assert_eq!(bench.step(other, "a").await.results, Some(Value::Null));
}

pub(crate) async fn a_step_may_be_resolved_before_what_it_depends_on(bench: &Bench) {
    let task = bench.submit("a -> b -> c").await;
    bench.resolve_step(task, "b", None).await.expect("resolved");
    assert_eq!(bench.picture(task).await, "pending: a pending(ready), b resolved_manually, c pending(ready)");
    let mut hand = bench.claim(9).await;
    bench.complete(hand.take("a")).await;
    assert_eq!(bench.step(task, "b").await.unmet, 0);
    bench.complete(hand.take("c")).await;
    assert_eq!(bench.picture(task).await, "complete: a complete, b resolved_manually, c complete");
}

pub(crate) async fn the_last_step_resolved_completes_the_task(bench: &Bench) {
    let task = bench.submit("a, b{once}").await;
    let mut hand = bench.claim(2).await;
    bench.complete(hand.take("a")).await;
    bench.fail(hand.take("b")).await;
    let answer = bench.resolve_step(task, "b", None).await;
    assert_eq!(bench.told(task, &answer).await, "1 steps, task complete");
}

pub(crate) async fn a_step_waiting_for_its_retry_can_be_resolved(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 100).await;
    bench.resolve_step(task, "a", None).await.expect("resolved");
    bench.advance(100);
    assert_eq!(bench.claim(9).await.names(), "b");
}

pub(crate) async fn a_step_at_work_cannot_be_resolved(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    let refused = bench.resolve_step(task, "a", None).await;
    assert_eq!(bench.told(task, &refused).await, "step a is in_progress: it cannot be resolved");
    bench.complete(lease).await;
    let refused = bench.resolve_step(task, "a", None).await;
    assert_eq!(bench.told(task, &refused).await, "step a is complete: it cannot be resolved");
}

/// S10.
pub(crate) async fn a_resolved_task_cancels_what_has_not_ended(bench: &Bench) {
    let task = bench.submit("a{once}, done; a -> b -> c").await;
    let mut hand = bench.claim(2).await;
    bench.complete(hand.take("done")).await;
    bench.fail(hand.take("a")).await;
    bench.advance(2);
    assert_eq!(bench.resolve(task).await, Ok(Done { steps: 3, task_state: Some(State::ResolvedManually) }));
    assert_eq!(
        bench.picture(task).await,
        "resolved_manually: a cancelled#1, done complete, b cancelled, c cancelled"
    );
    assert_eq!(bench.task(task).await.ended_at, Some(bench.now()));
    assert_lines(
        &bench.history(task).await.lines().skip(7).collect::<Vec<_>>().join("\n"),
        "a error → cancelled task_resolved by ann
         b pending → cancelled task_resolved by ann
         c pending → cancelled task_resolved by ann
         task error → resolved_manually resolved by ann",
    );
}

pub(crate) async fn a_task_that_is_not_in_error_cannot_be_resolved(bench: &Bench) {
    let task = bench.submit("a").await;
    let refused = bench.resolve(task).await;
    assert_eq!(bench.told(task, &refused).await, "the task is pending: it cannot be resolved");
    assert_eq!(bench.picture(task).await, "pending: a pending(ready)");
}

pub(crate) async fn the_reason_of_a_resolution_is_kept(bench: &Bench) {
    let task = bench.submit("a{once}").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.resolve(task).await.expect("resolved");
    let history = bench.transitions(task).await;
    for transition in &history[history.len() - 2..] {
        assert_eq!(transition.details, json!({"reason": "done by hand"}));
        assert_eq!(transition.by.as_deref(), Some("ann"));
    }
}

pub(crate) async fn what_does_not_exist_is_not_resolved(bench: &Bench) {
    let unknown = bench.task_id();
    for target in [Target::Task(unknown), Target::Step(unknown.step(3))] {
        let command = Command::Resolve { target, results: None, by: "ann".to_owned(), reason: None };
        assert!(matches!(bench.order(command).await, Err(CommandError::NotFound(_))));
    }
}
