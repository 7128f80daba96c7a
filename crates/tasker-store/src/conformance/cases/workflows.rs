//! Whole workflows, run by a scripted worker.

use serde_json::{Value, json};
use tasker_core::{LeaseKey, State};

use crate::conformance::bench::{Bench, LEASE, assert_lines, worker};
use crate::conformance::graph::fixtures::{DIAMOND, DUMMY, LINEAR, MIXED, PARALLEL_MERGE, TREE};
use crate::work::Settled;

/// W1.
pub(crate) async fn a_linear_workflow_runs_in_order(bench: &Bench) {
    let task = bench.submit(LINEAR).await;
    assert_eq!(
        bench.run(&[]).await,
        "initialize_data | validate_input | process_data | transform_results | validate_output | \
         finalize_workflow"
    );
    assert_eq!(bench.task(task).await.state, State::Complete);
    assert!(bench.steps(task).await.iter().all(|step| step.attempts == 1 && step.state == State::Complete));
}

/// W2.
pub(crate) async fn the_branches_of_a_diamond_run_side_by_side(bench: &Bench) {
    let task = bench.submit(DIAMOND).await;
    assert_eq!(
        bench.run(&[]).await,
        "start_workflow | branch_one_process, branch_two_process | branch_two_validate, branch_one_validate \
         | merge_branches | end_workflow"
            .replace("branch_two_validate, branch_one_validate", "branch_one_validate, branch_two_validate")
    );
    assert_eq!(bench.task(task).await.state, State::Complete);
}

/// W2 with the failures of the fixture: the merge waits for the branch that is late.
pub(crate) async fn a_diamond_waits_for_its_slower_branch(bench: &Bench) {
    let task = bench.submit(DIAMOND).await;
    let started = bench.now();
    assert_eq!(
        bench.run(&[("branch_one_process", 1), ("branch_two_process", 2)]).await,
        "start_workflow | branch_one_process, branch_two_process | branch_one_process, branch_two_process \
         | branch_one_validate | branch_two_process | branch_two_validate | merge_branches | end_workflow"
    );
    assert_eq!(bench.now().since(started).as_secs(), 2 + 4);
    assert_eq!(bench.task(task).await.state, State::Complete);
}

/// W3.
pub(crate) async fn four_roots_start_at_once_and_the_merge_sees_them_all(bench: &Bench) {
    let task = bench.submit(PARALLEL_MERGE).await;
    assert_eq!(
        bench.run(&[("fetch_order_data", 1), ("merge_all_data", 1)]).await,
        "fetch_user_data, fetch_order_data, fetch_inventory_data, fetch_pricing_data | process_user_data | \
         fetch_order_data | process_order_data | merge_all_data | merge_all_data"
    );
    let (_, dependencies) = bench.inputs(task, "merge_all_data").await;
    let names: Vec<_> = dependencies.iter().filter_map(|(_, results)| results["step"].as_str()).collect();
    let expected = ["fetch_inventory_data", "fetch_pricing_data", "process_user_data", "process_order_data"];
    assert_eq!(names, expected);
    assert_eq!(bench.task(task).await.state, State::Complete);
}

/// W4.
pub(crate) async fn a_tree_runs_level_by_level(bench: &Bench) {
    let task = bench.submit(TREE).await;
    assert_eq!(
        bench.run(&[]).await,
        "root_initialization | branch_a_setup, branch_b_setup | branch_a_task_one, branch_a_task_two, \
         branch_b_task_one, branch_b_task_two | aggregate_results"
    );
    assert_eq!(bench.step(task, "aggregate_results").await.parents, 4);
    assert_eq!(bench.task(task).await.state, State::Complete);
}

/// W4.
pub(crate) async fn a_mixed_workflow_starts_each_step_as_soon_as_it_can(bench: &Bench) {
    let task = bench.submit(MIXED).await;
    assert_eq!(
        bench.run(&[("validate_permissions", 1), ("process_critical_data", 2)]).await,
        "init_auth, init_config | validate_permissions, setup_environment | cleanup_temp_files | \
         validate_permissions | begin_processing | process_critical_data, process_optional_data | \
         process_critical_data | process_critical_data | finalize_and_report"
    );
    assert_eq!(bench.task(task).await.state, State::Complete);
}

/// W4.
pub(crate) async fn a_leaf_on_the_side_must_be_complete_before_its_task(bench: &Bench) {
    let task = bench.submit(MIXED).await;
    for _ in 0..3 {
        bench.complete_ready().await;
    }
    let mut hand = bench.claim(9).await;
    let late = hand.take("process_optional_data");
    bench.complete(hand.take("process_critical_data")).await;
    bench.complete_everything().await;
    assert_eq!(bench.step(task, "finalize_and_report").await.state, State::Complete);
    assert_eq!(bench.task(task).await.state, State::InProgress);
    let reply = bench.settle_all(vec![late.complete(Value::Null)]).await;
    assert_eq!(reply.verdicts, [(task, State::Complete)]);
}

/// W5.
pub(crate) async fn a_step_that_fails_once_costs_one_wait(bench: &Bench) {
    let task = bench.submit(LINEAR).await;
    let started = bench.now();
    bench.run(&[("process_data", 1)]).await;
    assert_eq!(bench.task(task).await.state, State::Complete);
    assert_eq!(bench.step(task, "process_data").await.attempts, 2);
    assert_eq!(bench.now().since(started).as_secs(), 2);
}

/// W6.
pub(crate) async fn a_step_that_always_fails_has_three_attempts(bench: &Bench) {
    let task = bench.submit(LINEAR).await;
    assert_eq!(
        bench.run(&[("process_data", 5)]).await,
        "initialize_data | validate_input | process_data | process_data | process_data"
    );
    assert_eq!(
        bench.picture(task).await,
        "error: initialize_data complete, validate_input complete, process_data error#3, \
         transform_results pending(1 unmet), validate_output pending(1 unmet), finalize_workflow pending(1 unmet)"
    );
    assert!(bench.history(task).await.ends_with("task in_progress → error blocked\n"));
}

/// W7.
pub(crate) async fn a_failed_root_does_not_keep_the_other_from_its_end(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    bench.run(&[("step-one", 3)]).await;
    assert_eq!(
        bench.picture(task).await,
        "error: step-one error#3, step-two complete, step-three complete, step-four complete"
    );
}

/// W8.
pub(crate) async fn a_step_held_by_another_worker_holds_up_what_follows(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    bench.complete_ready().await;
    let held = bench.claim_by(worker(2), 1).await.one();
    assert_eq!(bench.run(&[]).await, "");
    assert_eq!(
        bench.picture(task).await,
        "in_progress: step-one complete, step-two complete, step-three in_progress#1, step-four pending(1 unmet)"
    );
    bench.complete(held).await;
    assert_eq!(bench.run(&[]).await, "step-four");
}

/// W9.
pub(crate) async fn a_killed_worker_loses_no_task(bench: &Bench) {
    let task = bench.submit(DIAMOND).await;
    bench.complete_ready().await;
    let lost = bench.claim_by(worker(1), 9).await;
    assert_eq!(lost.len(), 2);
    assert_eq!(bench.run(&[]).await, "", "nobody takes what another holds");
    bench.advance(LEASE.as_secs());
    bench.rescue().await;
    let rounds = bench.run(&[]).await;
    assert!(rounds.starts_with("branch_one_process, branch_two_process | "), "{rounds}");
    assert_eq!(bench.task(task).await.state, State::Complete);
    for lease in lost.all() {
        assert_eq!(bench.complete(lease).await, Settled::Stale, "the dead one comes too late");
    }
    assert_eq!(bench.step(task, "branch_one_process").await.attempts, 2);
}

/// W10.
pub(crate) async fn two_workers_make_each_attempt_once(bench: &Bench) {
    let tasks = [bench.submit(TREE).await, bench.submit(MIXED).await, bench.submit(DIAMOND).await];
    let mut made: Vec<LeaseKey> = Vec::new();
    loop {
        let (one, two) =
            futures::future::join(bench.claim_by(worker(1), 1), bench.claim_by(worker(2), 1)).await;
        let leases: Vec<_> = one.all().into_iter().chain(two.all()).collect();
        if leases.is_empty() {
            break;
        }
        made.extend(leases.iter().map(|lease| lease.key));
        let settlements = leases.into_iter().map(|lease| bench.settle(lease.complete(json!(1))));
        let settled = futures::future::join_all(settlements).await;
        assert!(settled.iter().all(|settled| *settled != Settled::Stale));
    }
    let count = made.len();
    made.sort_unstable();
    made.dedup();
    assert_eq!((made.len(), count), (24, 24));
    for task in tasks {
        assert_eq!(bench.task(task).await.state, State::Complete);
    }
}

/// W11.
pub(crate) async fn a_workflow_cancelled_on_the_way_stops_there(bench: &Bench) {
    let task = bench.submit(LINEAR).await;
    bench.complete_ready().await;
    let running = bench.claim(1).await.one();
    bench.cancel(task).await.expect("cancelled");
    assert_eq!(bench.run(&[]).await, "");
    assert_eq!(bench.complete(running).await, Settled::Stale);
    assert_lines(
        &bench.picture(task).await,
        "cancelled: initialize_data complete, validate_input cancelled#1, process_data cancelled, \
         transform_results cancelled, validate_output cancelled, finalize_workflow cancelled",
    );
}

/// W13.
pub(crate) async fn a_complete_workflow_does_not_run_again(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    bench.run(&[]).await;
    let before = bench.history(task).await;
    let refused = bench.retry(task).await;
    assert_eq!(bench.told(task, &refused).await, "the task is complete: it cannot be retried");
    bench.advance(1_000_000);
    assert_eq!(bench.run(&[]).await, "");
    assert_eq!(bench.history(task).await, before);
}

/// Blocked, helped, and complete in the end.
pub(crate) async fn a_blocked_workflow_goes_on_after_a_retry(bench: &Bench) {
    let task = bench.submit(LINEAR).await;
    bench.run(&[("process_data", 3)]).await;
    assert_eq!(bench.task(task).await.state, State::Error);
    bench.retry(task).await.expect("retried");
    let rounds = bench.run(&[("process_data", 3)]).await;
    assert_eq!(rounds, "process_data | transform_results | validate_output | finalize_workflow");
    assert_eq!(bench.task(task).await.state, State::Complete);
    assert_eq!(bench.step(task, "process_data").await.attempts, 4);
}
