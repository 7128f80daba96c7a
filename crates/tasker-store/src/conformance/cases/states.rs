//! Which moves are refused: the tables of states, tried through the store.

use serde_json::Value;
use tasker_core::{LeaseKey, State, TaskId};

use crate::command::{Attempts, CommandError};
use crate::conformance::bench::{Bench, worker};
use crate::work::{Guard, Settled, Settlement, Verdict};

const STATES: [State; 6] = State::ALL;

/// A task of one step in each state, the step's own state first.
async fn step_in(bench: &Bench, state: State) -> TaskId {
    let task = bench.submit(&format!("{state}_step: a{{limit=9}}, other")).await;
    if matches!(state, State::InProgress | State::Complete | State::Error) {
        let lease = bench.claim_task(task).await.take("a");
        match state {
            State::Complete => drop_settled(bench.complete(lease).await),
            State::Error => drop_settled(bench.retry_in(lease, 100).await),
            _ => {}
        }
    }
    match state {
        State::Cancelled => drop(bench.cancel_step(task, "a").await),
        State::ResolvedManually => drop(bench.resolve_step(task, "a", None).await),
        _ => {}
    }
    assert_eq!(bench.step(task, "a").await.state, state);
    task
}

fn drop_settled(settled: Settled) {
    assert_ne!(settled, Settled::Stale);
}

/// A task in a state.
async fn task_in(bench: &Bench, state: State) -> TaskId {
    let task = bench.submit(&format!("{state}_task: a")).await;
    match state {
        State::Pending => {}
        State::InProgress => drop(bench.claim_task(task).await),
        State::Complete => bench.complete_everything().await,
        State::Cancelled => drop(bench.cancel(task).await),
        State::Error | State::ResolvedManually => {
            let lease = bench.claim_task(task).await.one();
            bench.fail(lease).await;
        }
    }
    if state == State::ResolvedManually {
        bench.resolve(task).await.expect("a task in error may be resolved");
    }
    assert_eq!(bench.task(task).await.state, state);
    task
}

/// The states from which a command is not refused; where it is, nothing changes.
async fn allowed<F>(bench: &Bench, of_steps: bool, mut give: F) -> String
where
    F: AsyncFnMut(TaskId) -> Result<crate::Done, CommandError>,
{
    let mut allowed = Vec::new();
    for state in STATES {
        let task = if of_steps { step_in(bench, state).await } else { task_in(bench, state).await };
        let before = (bench.picture(task).await, bench.history(task).await);
        match give(task).await {
            Ok(_) => allowed.push(state.as_str()),
            Err(CommandError::Illegal(refusal)) => {
                assert_eq!(refusal.from, state);
                assert_eq!((bench.picture(task).await, bench.history(task).await), before);
            }
            Err(other) => panic!("{other}"),
        }
    }
    allowed.join(", ")
}

/// S9, as repaired: a step in error can be cancelled.
pub(crate) async fn a_step_is_cancelled_from_any_state_that_is_no_end(bench: &Bench) {
    let states = allowed(bench, true, async |task| bench.cancel_step(task, "a").await).await;
    assert_eq!(states, "pending, in_progress, error");
}

/// S8.
pub(crate) async fn only_a_failed_step_is_retried(bench: &Bench) {
    let states = allowed(bench, true, async |task| bench.retry_step(task, "a", Attempts::Reset).await).await;
    assert_eq!(states, "error");
}

pub(crate) async fn a_step_at_work_or_ended_is_not_resolved(bench: &Bench) {
    let states = allowed(bench, true, async |task| bench.resolve_step(task, "a", None).await).await;
    assert_eq!(states, "pending, error");
}

pub(crate) async fn an_ended_step_is_not_changed(bench: &Bench) {
    let states = allowed(bench, true, async |task| bench.update_step(task, "a", None, Some(5)).await).await;
    assert_eq!(states, "pending, in_progress, error");
}

/// S10, as repaired: a task in error can be cancelled.
pub(crate) async fn a_task_is_cancelled_from_any_state_but_once(bench: &Bench) {
    let states = allowed(bench, false, async |task| bench.cancel(task).await).await;
    assert_eq!(states, "pending, in_progress, complete, error, resolved_manually");
}

pub(crate) async fn only_a_task_in_error_is_resolved(bench: &Bench) {
    let states = allowed(bench, false, async |task| bench.resolve(task).await).await;
    assert_eq!(states, "error");
}

pub(crate) async fn an_ended_task_is_not_paused(bench: &Bench) {
    let states = allowed(bench, false, async |task| bench.pause(task).await).await;
    assert_eq!(states, "pending, in_progress, error");
}

/// W13.
pub(crate) async fn an_ended_task_is_not_retried(bench: &Bench) {
    for state in [State::Complete, State::Cancelled, State::ResolvedManually] {
        let task = task_in(bench, state).await;
        let refused = bench.retry(task).await;
        assert_eq!(bench.told(task, &refused).await, format!("the task is {state}: it cannot be retried"));
        let refused = bench.retry_step(task, "a", Attempts::Reset).await;
        assert!(bench.told(task, &refused).await.ends_with("it cannot be retried"));
    }
}

/// S2, S5, S7: only what was claimed can end, and only what has nothing unmet can be claimed.
pub(crate) async fn a_step_that_was_not_claimed_cannot_end(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    for (step, attempt) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let key = LeaseKey { step: task.step(step), attempt };
        let guards = [Guard::Expired, Guard::Held { worker: worker(1) }];
        for guard in guards {
            let verdict = Verdict::Complete { results: Value::Null };
            assert_eq!(bench.settle(Settlement { key, guard, verdict }).await, Settled::Stale);
        }
    }
    assert_eq!(bench.picture(task).await, "pending: a pending(ready), b pending(1 unmet)");
}

/// S5, S6: whatever state a parent is in, its child is claimable only once it is satisfied.
pub(crate) async fn a_step_is_claimable_only_after_satisfied_parents(bench: &Bench) {
    for state in STATES {
        let task = bench.submit(&format!("{state}: a{{limit=9}} -> child; other")).await;
        match state {
            State::Pending => {}
            State::Cancelled => drop(bench.cancel_step(task, "a").await),
            State::ResolvedManually => drop(bench.resolve_step(task, "a", None).await),
            State::InProgress | State::Complete | State::Error => {
                let lease = bench.claim_task(task).await.take("a");
                match state {
                    State::Complete => drop_settled(bench.complete(lease).await),
                    State::Error => drop_settled(bench.retry_in(lease, 9).await),
                    _ => {}
                }
            }
        }
        let child = bench.step(task, "child").await;
        assert_eq!(child.unmet == 0, state.satisfies_dependents(), "{state}");
        assert_eq!(bench.claim(9).await.names().contains("child"), state.satisfies_dependents(), "{state}");
        bench.cancel(task).await.expect("the task has not ended");
    }
}

/// S3: a task is complete only when every step has ended.
pub(crate) async fn a_task_is_not_complete_before_its_last_step(bench: &Bench) {
    let task = bench.submit("a, b, c").await;
    for lease in bench.claim(9).await.all() {
        assert_eq!(bench.task(task).await.state, State::InProgress);
        bench.complete(lease).await;
    }
    assert_eq!(bench.task(task).await.state, State::Complete);
}

/// S11.
pub(crate) async fn the_history_is_in_order_of_its_numbers(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    bench.complete_everything().await;
    let numbers: Vec<_> = bench.transitions(task).await.iter().map(|transition| transition.seq).collect();
    assert_eq!(numbers.len(), 7);
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
}
