//! How far a task is, derived from its rows.

use tasker_core::{Progress, StepTally, TaskId};

use crate::conformance::bench::Bench;
use crate::conformance::graph::fixtures::{DUMMY, LINEAR};
use crate::record::StepRecord;

/// `execution_status / recommended_action / health_status / percentage`.
async fn progress(bench: &Bench, task: TaskId) -> String {
    let progress = serde_json::to_value(derive(bench, task).await).expect("progress as JSON");
    let word = |key: &str| progress[key].as_str().unwrap_or_default().to_owned();
    format!(
        "{} / {} / {} / {}",
        word("execution_status"),
        word("recommended_action"),
        word("health_status"),
        progress["completion_percentage"]
    )
}

async fn derive(bench: &Bench, task: TaskId) -> Progress {
    let steps: Vec<_> = bench.steps(task).await.iter().map(StepRecord::facts).collect();
    Progress::of(StepTally::of(&steps, bench.now()))
}

/// The linear task with two steps complete and `process_data` at work.
async fn linear_at_process_data(bench: &Bench) -> (TaskId, crate::Lease) {
    let task = bench.submit(LINEAR).await;
    bench.complete_ready().await;
    bench.complete_ready().await;
    (task, bench.claim(1).await.one())
}

/// E1.
pub(crate) async fn a_fresh_task_has_ready_steps(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    assert_eq!(progress(bench, task).await, "has_ready_steps / execute_ready_steps / healthy / 0.0");
    let tally = derive(bench, task).await.tally;
    assert_eq!((tally.total, tally.pending, tally.ready), (4, 4, 2));
}

/// E2, W8.
pub(crate) async fn a_task_whose_rest_waits_for_a_step_at_work_is_processing(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    bench.complete_ready().await;
    bench.claim(1).await.one();
    assert_eq!(progress(bench, task).await, "processing / wait_for_completion / healthy / 50.0");
}

/// E3.
pub(crate) async fn a_task_with_every_step_satisfied_is_all_complete(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    bench.resolve_step(task, "step-one", None).await.expect("resolved");
    bench.complete_everything().await;
    assert_eq!(progress(bench, task).await, "all_complete / finalize_task / healthy / 100.0");
}

/// E4.
pub(crate) async fn a_task_in_backoff_waits_and_recovers(bench: &Bench) {
    let (task, lease) = linear_at_process_data(bench).await;
    bench.retry_in(lease, 2).await;
    let expected = "waiting_for_dependencies / wait_for_dependencies / recovering / 33.33";
    assert_eq!(progress(bench, task).await, expected);
    bench.advance(2);
    assert_eq!(progress(bench, task).await, "has_ready_steps / execute_ready_steps / recovering / 33.33");
}

/// E5.
pub(crate) async fn a_task_whose_attempts_are_exhausted_is_blocked(bench: &Bench) {
    let (task, mut lease) = linear_at_process_data(bench).await;
    for _ in 0..2 {
        bench.retry_in(lease, 0).await;
        lease = bench.claim(1).await.one();
    }
    bench.retry_in(lease, 0).await;
    assert_eq!(progress(bench, task).await, "blocked_by_failures / handle_failures / blocked / 33.33");
}

/// E6.
pub(crate) async fn a_final_failure_beside_a_ready_step_is_recovering(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    assert_eq!(progress(bench, task).await, "has_ready_steps / execute_ready_steps / recovering / 0.0");
}

/// E7.
pub(crate) async fn an_unknown_task_has_no_rows(bench: &Bench) {
    let unknown = bench.task_id();
    assert_eq!(bench.store.task(unknown).await.expect("an answer"), None);
    assert_eq!(bench.steps(unknown).await, []);
    assert_eq!(bench.transitions(unknown).await, []);
    assert_eq!(bench.store.inputs(&[unknown.step(0)]).await.expect("an answer"), []);
}

/// E8.
pub(crate) async fn a_cancelled_step_does_not_keep_its_task_waiting(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    bench.cancel_step(task, "step-one").await.expect("cancelled");
    bench.complete_everything().await;
    assert_eq!(progress(bench, task).await, "all_complete / finalize_task / healthy / 75.0");
    assert_eq!(
        bench.picture(task).await,
        "complete: step-one cancelled, step-two complete, step-three complete, step-four complete"
    );
}

/// E9.
pub(crate) async fn a_failure_that_allows_no_retry_blocks_at_once(bench: &Bench) {
    let (task, lease) = linear_at_process_data(bench).await;
    bench.fail(lease).await;
    assert_eq!(progress(bench, task).await, "blocked_by_failures / handle_failures / blocked / 33.33");
}

/// E10: a template without steps cannot be read, so no task can be made of one.
pub(crate) async fn no_template_is_without_steps(_bench: &Bench) {
    let empty = serde_json::json!({"name": "empty", "step_templates": []});
    assert!(tasker_core::TaskTemplate::from_definition(&empty).is_err());
}

/// E11.
pub(crate) async fn the_counts_add_up_to_all_steps(bench: &Bench) {
    let task = bench.submit("a, b, c, d -> e").await;
    let mut hand = bench.claim(4).await;
    bench.complete(hand.take("a")).await;
    bench.retry_in(hand.take("b"), 5).await;
    bench.fail(hand.take("c")).await;
    let tally = derive(bench, task).await.tally;
    assert_eq!((tally.pending, tally.in_progress, tally.completed, tally.failed), (1, 1, 1, 2));
    assert_eq!(tally.pending + tally.in_progress + tally.completed + tally.failed, tally.total);
    assert_eq!((tally.ready, tally.blocked), (0, 1));
}
