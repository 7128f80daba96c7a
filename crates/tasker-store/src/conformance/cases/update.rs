//! Changing what describes a task, and what a step gets.

use serde_json::{Value, json};
use tasker_core::State;

use crate::command::{Command, CommandError, Done};
use crate::conformance::bench::Bench;

/// C11.
pub(crate) async fn the_reason_and_the_tags_of_a_task_can_be_changed(bench: &Bench) {
    let task = bench.submit("a").await;
    let before = bench.task(task).await;
    let answer = bench.update_task(task, Some("x"), Some(&["a", "b", "a"])).await;
    assert_eq!(answer, Ok(Done { steps: 0, task_state: Some(State::Pending) }));
    let tags: Vec<_> = ["a", "b", "a"].map(str::to_owned).into();
    let expected = crate::TaskRecord { reason: "x".to_owned(), tags, ..before };
    assert_eq!(bench.task(task).await, expected);
}

pub(crate) async fn what_is_not_given_stays_as_it_is(bench: &Bench) {
    let task = bench.submit("a").await;
    bench.update_task(task, None, Some(&["kept"])).await.expect("changed");
    assert_eq!(bench.task(task).await.reason, "basic test");
    bench.update_task(task, Some(""), None).await.expect("changed");
    let record = bench.task(task).await;
    assert_eq!((record.reason.as_str(), record.tags), ("", vec!["kept".to_owned()]));
    bench.update_task(task, None, Some(&[])).await.expect("changed");
    assert_eq!(bench.task(task).await.tags, Vec::<String>::new());
}

pub(crate) async fn an_ended_task_can_still_be_described(bench: &Bench) {
    let task = bench.submit("a").await;
    bench.complete_everything().await;
    let answer = bench.update_task(task, Some("done well"), None).await;
    assert_eq!(answer, Ok(Done { steps: 0, task_state: Some(State::Complete) }));
    assert_eq!(bench.task(task).await.reason, "done well");
}

/// C16.
pub(crate) async fn the_retry_limit_of_a_step_can_be_changed(bench: &Bench) {
    let task = bench.submit("a").await;
    for limit in [10, 8, 0, u32::MAX] {
        let answer = bench.update_step(task, "a", None, Some(limit)).await;
        assert_eq!(bench.told(task, &answer).await, "1 steps, task pending");
        assert_eq!(bench.step(task, "a").await.retry_limit, limit);
    }
    assert_eq!(bench.claim(1).await.one().retry_limit, u32::MAX);
}

/// The limit is looked at when an attempt fails, and at no other time.
pub(crate) async fn a_limit_counts_when_the_next_attempt_fails(bench: &Bench) {
    let task = bench.submit("more{limit=1}, less{limit=5}").await;
    let mut hand = bench.claim(2).await;
    bench.update_step(task, "more", None, Some(2)).await.expect("changed");
    bench.update_step(task, "less", None, Some(1)).await.expect("changed");
    bench.retry_in(hand.take("more"), 7).await;
    bench.retry_in(hand.take("less"), 7).await;
    assert_eq!(bench.picture(task).await, "in_progress: more error#1(in 7 s), less error#1");
}

pub(crate) async fn a_raised_limit_does_not_wake_a_blocked_step(bench: &Bench) {
    let task = bench.submit("a{limit=1}").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    let answer = bench.update_step(task, "a", None, Some(9)).await;
    assert_eq!(bench.told(task, &answer).await, "1 steps, task error");
    assert_eq!(bench.picture(task).await, "error: a error#1");
    assert!(bench.claim(9).await.is_empty());
}

pub(crate) async fn a_lowered_limit_does_not_call_off_a_retry(bench: &Bench) {
    let task = bench.submit("a{limit=5}").await;
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 7).await;
    bench.update_step(task, "a", None, Some(1)).await.expect("changed");
    bench.advance(7);
    let lease = bench.claim(1).await.one();
    assert_eq!((lease.key.attempt, lease.retry_limit), (2, 1));
    bench.retry_in(lease, 7).await;
    assert_eq!(bench.picture(task).await, "error: a error#2");
}

pub(crate) async fn changed_inputs_take_the_place_of_the_context(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    assert_eq!(bench.inputs(task, "a").await, (json!({}), vec![]));
    bench.update_step(task, "a", Some(json!({"amount": 3})), None).await.expect("changed");
    assert_eq!(bench.inputs(task, "a").await.0, json!({"amount": 3}));
    assert_eq!(bench.inputs(task, "b").await.0, json!({}), "of this step only");
    assert_eq!(bench.step(task, "a").await.inputs, Some(json!({"amount": 3})));
    assert_eq!(bench.step(task, "a").await.retry_limit, 3);
    bench.update_step(task, "a", None, Some(5)).await.expect("changed");
    assert_eq!(bench.inputs(task, "a").await.0, json!({"amount": 3}), "kept");
    bench.update_step(task, "a", Some(Value::Null), None).await.expect("changed");
    assert_eq!(bench.inputs(task, "a").await.0, Value::Null, "null is a value");
    assert_eq!(bench.step(task, "a").await.inputs, Some(Value::Null));
}

pub(crate) async fn a_step_at_work_can_be_changed_for_its_next_attempt(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    let answer = bench.update_step(task, "a", Some(json!(1)), None).await;
    assert_eq!(bench.told(task, &answer).await, "1 steps, task in_progress");
    bench.retry_in(lease, 0).await;
    assert_eq!(bench.inputs(task, "a").await.0, json!(1));
}

pub(crate) async fn an_update_that_changes_nothing_is_no_error(bench: &Bench) {
    let task = bench.submit("a").await;
    let before = (bench.task(task).await, bench.steps(task).await);
    bench.update_step(task, "a", None, None).await.expect("nothing to change");
    bench.update_task(task, None, None).await.expect("nothing to change");
    assert_eq!((bench.task(task).await, bench.steps(task).await), before);
}

pub(crate) async fn an_update_leaves_no_trace_in_the_feed(bench: &Bench) {
    let task = bench.submit("a").await;
    let before = bench.history(task).await;
    bench.update_step(task, "a", Some(json!(1)), Some(4)).await.expect("changed");
    bench.update_task(task, Some("x"), None).await.expect("changed");
    assert_eq!(bench.history(task).await, before);
}

pub(crate) async fn what_does_not_exist_is_not_changed(bench: &Bench) {
    let task = bench.submit("a").await;
    let unknown = bench.task_id();
    let expected = Err(CommandError::NotFound(format!("task {unknown}")));
    assert_eq!(bench.update_task(unknown, Some("x"), None).await, expected);
    for step in [unknown.step(0), task.step(1)] {
        let command = Command::UpdateStep { step, inputs: None, retry_limit: None, by: "ann".to_owned() };
        assert_eq!(bench.order(command).await, Err(CommandError::NotFound(format!("step {step}"))));
    }
}
