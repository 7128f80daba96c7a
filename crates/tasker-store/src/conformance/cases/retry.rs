//! Giving failed steps another attempt.

use serde_json::json;
use tasker_core::State;

use crate::command::{Attempts, Command, CommandError, Done, Target};
use crate::conformance::bench::{Bench, assert_lines};

/// S8.
pub(crate) async fn a_retried_step_may_be_claimed_at_once(bench: &Bench) {
    let task = bench.submit("a{limit=1} -> b").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.advance(9);
    let answer = bench.retry_step(task, "a", Attempts::Reset).await;
    assert_eq!(bench.told(task, &answer).await, "1 steps, task pending");
    assert_eq!(bench.picture(task).await, "pending: a pending#1(ready), b pending(1 unmet)");
    assert_eq!(bench.step(task, "a").await.ready_at, Some(bench.now()));
    bench.complete_everything().await;
    assert_lines(
        &bench.history(task).await,
        "task → pending submitted
         task pending → in_progress started
         a pending → in_progress claimed #1
         a in_progress → error failed #1
         task in_progress → error blocked
         a error → pending retry_requested by ann
         task error → pending retry_requested by ann
         task pending → in_progress started
         a pending → in_progress claimed #2
         a in_progress → complete completed #2
         b pending → in_progress claimed #1
         b in_progress → complete completed #1
         task in_progress → complete completed",
    );
}

pub(crate) async fn a_reset_counts_attempts_anew(bench: &Bench) {
    let task = bench.submit("a{limit=2}").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.retry_step(task, "a", Attempts::Reset).await.expect("retried");
    assert_eq!(bench.step(task, "a").await.retry_limit, 3, "one was made, two more may be");
    for _ in 0..2 {
        let lease = bench.claim(1).await.one();
        bench.retry_in(lease, 0).await;
    }
    assert_eq!(bench.picture(task).await, "error: a error#3");
}

pub(crate) async fn a_reset_counts_by_the_template_and_not_by_a_changed_limit(bench: &Bench) {
    let task = bench.submit("a{limit=2}").await;
    bench.update_step(task, "a", None, Some(50)).await.expect("changed");
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.retry_step(task, "a", Attempts::Reset).await.expect("retried");
    assert_eq!(bench.step(task, "a").await.retry_limit, 3);
}

pub(crate) async fn an_extension_gives_so_many_attempts_more(bench: &Bench) {
    let task = bench.submit("a{limit=2}").await;
    for _ in 0..2 {
        let lease = bench.claim(1).await.one();
        bench.retry_in(lease, 0).await;
    }
    for (more, limit) in [(0, 3), (3, 6)] {
        bench.retry_step(task, "a", Attempts::Extend(more)).await.expect("retried");
        let step = bench.step(task, "a").await;
        assert_eq!(step.retry_limit, limit, "{more} more");
        let lease = bench.claim(1).await.one();
        bench.fail(lease).await;
    }
}

/// Attempts that are left anyway are not lost by it.
pub(crate) async fn an_extension_takes_no_attempt_away(bench: &Bench) {
    let task = bench.submit("a{limit=9}").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.retry_step(task, "a", Attempts::Extend(2)).await.expect("retried");
    assert_eq!(bench.step(task, "a").await.retry_limit, 9);
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.retry_step(task, "a", Attempts::Extend(u32::MAX)).await.expect("retried");
    assert_eq!(bench.step(task, "a").await.retry_limit, u32::MAX);
}

pub(crate) async fn a_retry_does_not_wait_for_the_backoff(bench: &Bench) {
    let task = bench.submit("a{limit=2}").await;
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 1_000).await;
    let answer = bench.retry_step(task, "a", Attempts::Extend(1)).await;
    assert_eq!(bench.told(task, &answer).await, "1 steps, task in_progress");
    assert_eq!(bench.picture(task).await, "in_progress: a pending#1(ready)");
    assert_eq!(bench.claim(1).await.one().key.attempt, 2);
    assert!(!bench.history(task).await.contains("retry_due"));
}

pub(crate) async fn all_that_failed_in_a_task_is_retried(bench: &Bench) {
    let task = bench.submit("blocked{limit=1}, waiting, running, fresh; blocked -> child").await;
    let mut hand = bench.claim(3).await;
    bench.retry_in(hand.take("blocked"), 0).await;
    bench.retry_in(hand.take("waiting"), 50).await;
    let answer = bench.retry(task).await;
    assert_eq!(bench.told(task, &answer).await, "2 steps, task in_progress");
    assert_eq!(
        bench.picture(task).await,
        "in_progress: blocked pending#1(ready), waiting pending#1(ready), running in_progress#1, \
         fresh pending(ready), child pending(1 unmet)"
    );
    assert_lines(
        &bench.history(task).await.lines().skip(7).collect::<Vec<_>>().join("\n"),
        "blocked error → pending retry_requested by ann
         waiting error → pending retry_requested by ann",
    );
}

pub(crate) async fn where_nothing_failed_there_is_nothing_to_retry(bench: &Bench) {
    let task = bench.submit("a").await;
    assert_eq!(bench.retry(task).await, Err(CommandError::NothingToRetry(task)));
    bench.claim(1).await.one();
    assert_eq!(bench.retry(task).await, Err(CommandError::NothingToRetry(task)));
    assert_eq!(bench.picture(task).await, "in_progress: a in_progress#1");
}

/// Blocked by a cancelled step, a task has nothing to retry either.
pub(crate) async fn a_task_blocked_by_a_cancelled_step_has_nothing_to_retry(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    bench.cancel_step(task, "a").await.expect("cancelled");
    assert_eq!(bench.picture(task).await, "error: a cancelled, b pending(1 unmet)");
    assert_eq!(bench.retry(task).await, Err(CommandError::NothingToRetry(task)));
}

pub(crate) async fn what_does_not_exist_is_not_retried(bench: &Bench) {
    let task = bench.submit("a").await;
    let unknown = bench.task_id();
    for (target, text) in [
        (Target::Task(unknown), format!("task {unknown} does not exist")),
        (Target::Step(unknown.step(0)), format!("step {} does not exist", unknown.step(0))),
        (Target::Step(task.step(1)), format!("step {} does not exist", task.step(1))),
    ] {
        let command = Command::Retry { target, attempts: Attempts::Reset, by: "ann".to_owned() };
        assert_eq!(bench.order(command).await.expect_err("refused").to_string(), text);
    }
}

pub(crate) async fn a_retried_step_keeps_its_failure_until_it_succeeds(bench: &Bench) {
    let task = bench.submit("a{limit=1}").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    let ended_at = bench.step(task, "a").await.ended_at;
    bench.advance(3);
    bench.retry(task).await.expect("retried");
    let step = bench.step(task, "a").await;
    assert!(step.failure.is_some());
    assert_eq!((step.ended_at, step.attempts), (ended_at, 1));
    bench.complete_everything().await;
    assert_eq!(bench.step(task, "a").await.failure, None);
}

pub(crate) async fn a_retried_task_has_not_ended(bench: &Bench) {
    let task = bench.submit("a{once}").await;
    let lease = bench.claim(1).await.one();
    let started_at = bench.task(task).await.started_at;
    bench.fail(lease).await;
    assert!(bench.task(task).await.ended_at.is_some());
    bench.advance(60);
    assert_eq!(bench.retry(task).await, Ok(Done { steps: 1, task_state: Some(State::Pending) }));
    let record = bench.task(task).await;
    assert_eq!((record.ended_at, record.started_at), (None, started_at));
    bench.complete_everything().await;
    assert_eq!(bench.task(task).await.started_at, started_at, "it began when it first began");
    assert_eq!(bench.step(task, "a").await.results, Some(json!(null)));
}
