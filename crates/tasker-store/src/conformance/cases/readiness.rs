//! Which steps may run: the rows as a store keeps them, read by the pure function of tasker-core.

use std::time::Duration;

use serde_json::Value;
use tasker_core::{Readiness, StepFacts, TaskId, When, readiness};

use crate::conformance::bench::{Bench, failure, worker};
use crate::conformance::graph::fixtures::DUMMY;

/// A task of the dummy graph whose `step-one` was claimed together with `step-two`, which is complete.
async fn dummy_at_step_one(bench: &Bench) -> (TaskId, crate::Lease) {
    let task = bench.submit(DUMMY).await;
    let mut hand = bench.claim(2).await;
    bench.complete(hand.take("step-two")).await;
    (task, hand.take("step-one"))
}

async fn facts(bench: &Bench, task: TaskId, step: &str) -> StepFacts {
    bench.step(task, step).await.facts()
}

/// The names of the steps of a task that may be claimed now.
async fn ready(bench: &Bench, task: TaskId) -> String {
    let template = bench.template_of(task).await;
    let steps = bench.steps(task).await;
    let ready = steps.iter().zip(&template.steps);
    let ready = ready.filter(|(step, _)| readiness(&step.facts(), bench.now()) == Readiness::Now);
    ready.map(|(_, template)| template.name.to_string()).collect::<Vec<_>>().join(", ")
}

/// R1.
pub(crate) async fn the_roots_of_a_fresh_task_are_ready(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    assert_eq!(ready(bench, task).await, "step-one, step-two");
    let parents: Vec<_> = bench.steps(task).await.iter().map(|step| step.parents).collect();
    assert_eq!(parents, [0, 0, 1, 1]);
    assert_eq!(facts(bench, task, "step-three").await.dependency_status(), "0/1_satisfied");
    assert_eq!(facts(bench, task, "step-one").await.dependency_status(), "no_dependencies");
}

/// R2.
pub(crate) async fn readiness_moves_down_a_chain(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    bench.complete_ready().await;
    assert_eq!(ready(bench, task).await, "step-three");
    bench.complete_ready().await;
    assert_eq!(ready(bench, task).await, "step-four");
}

/// R3.
pub(crate) async fn nothing_is_ready_while_all_wait_for_one_at_work(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    let mut hand = bench.claim(2).await;
    bench.complete(hand.take("step-one")).await;
    assert_eq!(ready(bench, task).await, "");
    assert!(bench.claim(9).await.is_empty());
}

/// R4.
pub(crate) async fn a_cancelled_step_is_not_ready(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    bench.cancel_step(task, "step-one").await.expect("a pending step may be cancelled");
    assert_eq!(ready(bench, task).await, "step-two");
    assert_eq!(bench.claim(9).await.names(), "step-two");
}

/// R5.
pub(crate) async fn a_step_in_a_long_backoff_is_not_ready(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 1_000).await;
    assert_eq!(ready(bench, task).await, "step-two");
    let one = facts(bench, task, "step-one").await;
    assert_eq!(one.ready_at, Some(bench.in_seconds(1_000)));
    assert_eq!((one.attempts, one.retry_status(bench.now())), (1, "waiting_for_backoff"));
}

/// R6.
pub(crate) async fn a_second_before_its_time_a_failed_step_is_not_ready(bench: &Bench) {
    let (task, one) = dummy_at_step_one(bench).await;
    let due = bench.in_seconds(2);
    bench.retry_in(one, 2).await;
    bench.advance(1);
    assert_eq!(ready(bench, task).await, "step-three");
    assert_eq!(readiness(&facts(bench, task, "step-one").await, bench.now()), Readiness::At { time: due });
}

/// R7.
pub(crate) async fn after_its_time_a_failed_step_is_ready(bench: &Bench) {
    let (task, one) = dummy_at_step_one(bench).await;
    bench.retry_in(one, 2).await;
    bench.advance(3);
    assert_eq!(ready(bench, task).await, "step-one, step-three");
    assert_eq!(facts(bench, task, "step-one").await.retry_status(bench.now()), "retry_eligible");
    assert_eq!(bench.claim(9).await.names(), "step-three, step-one", "what was ready first comes first");
}

/// R8.
pub(crate) async fn the_fifth_failure_of_ten_waits_like_the_first(bench: &Bench) {
    let task = bench.submit("a{limit=10}").await;
    for _ in 0..5 {
        let lease = bench.claim(1).await.one();
        bench.retry_in(lease, 30).await;
        bench.advance(29);
        assert_eq!(ready(bench, task).await, "");
        bench.advance(2);
        assert_eq!(ready(bench, task).await, "a");
    }
    assert_eq!(facts(bench, task, "a").await.attempts, 5);
}

/// R9.
pub(crate) async fn a_step_without_attempts_left_is_blocked(bench: &Bench) {
    let task = bench.submit("a{limit=3}").await;
    for _ in 0..3 {
        let lease = bench.claim(1).await.one();
        bench.retry_in(lease, 0).await;
    }
    let step = facts(bench, task, "a").await;
    assert_eq!((step.attempts, step.retry_limit, step.ready_at), (3, 3, None));
    assert_eq!(step.retry_status(bench.now()), "max_retries_reached");
    bench.advance(1_000_000);
    assert_eq!(readiness(&step, bench.now()), Readiness::Blocked);
    assert!(bench.claim(9).await.is_empty());
}

/// R10.
pub(crate) async fn a_root_without_attempts_is_ready(bench: &Bench) {
    let task = bench.submit("a").await;
    let step = facts(bench, task, "a").await;
    assert_eq!((step.attempts, readiness(&step, bench.now())), (0, Readiness::Now));
}

/// R11.
pub(crate) async fn complete_and_resolved_parents_satisfy(bench: &Bench) {
    let task = bench.submit("a, b -> c").await;
    let lease = bench.claim(1).await.one();
    bench.complete(lease).await;
    bench.resolve_step(task, "b", None).await.expect("a pending step may be resolved");
    assert_eq!(facts(bench, task, "c").await.dependency_status(), "all_satisfied");
    assert_eq!(bench.picture(task).await, "in_progress: a complete, b resolved_manually, c pending(ready)");
}

/// R12.
pub(crate) async fn a_failed_parent_does_not_satisfy(bench: &Bench) {
    let task = bench.submit("a, b -> c").await;
    let mut hand = bench.claim(2).await;
    bench.complete(hand.take("a")).await;
    bench.retry_in(hand.take("b"), 5).await;
    let step = facts(bench, task, "c").await;
    assert_eq!(step.dependency_status(), "1/2_satisfied");
    assert_eq!(readiness(&step, bench.now()), Readiness::After { unmet: 1 });
}

/// R13: there is one wait, the one that the settlement gave.
pub(crate) async fn no_second_wait_lies_on_top_of_the_first(bench: &Bench) {
    let task = bench.submit("a{limit=9}").await;
    for _ in 0..2 {
        let lease = bench.claim(1).await.one();
        bench.retry_in(lease, 0).await;
    }
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 1).await;
    bench.advance(4);
    assert_eq!(ready(bench, task).await, "a");
    let lease = bench.claim(1).await.one();
    bench.settle(lease.retry(failure(), When::After(Duration::from_millis(1)))).await;
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(ready(bench, task).await, "a");
}

/// R14.
pub(crate) async fn a_step_at_work_is_not_ready(bench: &Bench) {
    let task = bench.submit("a").await;
    bench.claim(1).await.one();
    assert_eq!(readiness(&facts(bench, task, "a").await, bench.now()), Readiness::Running);
    assert_eq!(ready(bench, task).await, "");
}

/// R15.
pub(crate) async fn a_step_that_is_not_retryable_runs_once(bench: &Bench) {
    let task = bench.submit("a{once}").await;
    assert_eq!(ready(bench, task).await, "a");
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 0).await;
    assert_eq!(bench.picture(task).await, "error: a error#1");
}

/// R16.
pub(crate) async fn steps_at_work_and_ended_ones_are_never_ready(bench: &Bench) {
    let task = bench.submit("run, done, off, hand").await;
    let mut hand = bench.claim(2).await;
    bench.complete(hand.take("done")).await;
    bench.cancel_step(task, "off").await.expect("cancelled");
    bench.resolve_step(task, "hand", Some(Value::Null)).await.expect("resolved");
    assert_eq!(ready(bench, task).await, "");
    bench.advance(30);
    assert!(bench.claim_by(worker(2), 9).await.is_empty());
    assert_eq!(
        bench.picture(task).await,
        "in_progress: run in_progress#1, done complete, off cancelled, hand resolved_manually"
    );
}

/// R17.
pub(crate) async fn steps_are_read_task_by_task(bench: &Bench) {
    let tasks =
        [bench.submit("one: a -> b").await, bench.submit("two: a").await, bench.submit("three: a").await];
    for (task, count) in tasks.into_iter().zip([2, 1, 1]) {
        let steps = bench.steps(task).await;
        assert_eq!(steps.len(), count);
        assert!(steps.iter().all(|step| step.id.task() == task));
    }
    assert_eq!(bench.store.inputs(&[]).await.expect("an answer"), []);
}

/// K13: where steps do not run at the same time, each waits for the one before it.
pub(crate) async fn a_sequential_template_runs_one_step_after_another(bench: &Bench) {
    let task = bench.submit("flow sequential: a, b, c; a -> d").await;
    let mut order = Vec::new();
    loop {
        let hand = bench.claim(9).await;
        if hand.is_empty() {
            break;
        }
        order.push(hand.names());
        bench.complete(hand.one()).await;
    }
    assert_eq!(order, ["a", "b", "c", "d"]);
    assert_eq!(bench.step(task, "c").await.parents, 1);
}
