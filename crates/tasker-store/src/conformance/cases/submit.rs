//! Making tasks.

use std::time::Duration;

use serde_json::json;
use tasker_core::{State, Timestamp};

use crate::conformance::bench::{Bench, assert_lines};
use crate::conformance::graph::fixtures::DUMMY;
use crate::record::{StepRecord, TaskRecord};
use crate::submit::{NewTask, Origin, SubmitError, Submitted};
use crate::template::PlanId;

/// S1, C1, C9.
pub(crate) async fn a_submitted_task_and_its_steps_are_pending(bench: &Bench) {
    let task = bench.submit(DUMMY).await;
    assert_eq!(
        bench.picture(task).await,
        "pending: step-one pending(ready), step-two pending(ready), \
         step-three pending(1 unmet), step-four pending(1 unmet)"
    );
    assert_lines(&bench.history(task).await, "task → pending submitted");
}

/// C1, C2.
pub(crate) async fn a_task_is_read_back_as_it_was_submitted(bench: &Bench) {
    let draft = NewTask {
        context: json!({ "dummy": true }),
        initiator: "pete@test".to_owned(),
        source_system: "shop".to_owned(),
        reason: "a trial".to_owned(),
        tags: vec!["red".to_owned(), "blue".to_owned(), "red".to_owned()],
        bypass_steps: vec!["b".to_owned(), "no such step".to_owned()],
        requested_at: bench.now().minus(Duration::from_millis(1_500)),
        origin: Origin {
            correlation_id: Some("tsk_mhx1_a1b2c3".to_owned()),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        },
        ..bench.draft_of("a -> b").await
    };
    let task = bench.create(draft.clone()).await;
    let expected = TaskRecord {
        id: draft.id,
        plan: draft.plan,
        state: State::Pending,
        unfinished: 2,
        active: 1,
        context: draft.context,
        initiator: draft.initiator,
        source_system: draft.source_system,
        reason: draft.reason,
        tags: draft.tags,
        bypass_steps: draft.bypass_steps,
        identity_hash: None,
        origin: draft.origin.clone(),
        requested_at: draft.requested_at,
        started_at: None,
        ended_at: None,
        paused: None,
    };
    assert_eq!(bench.task(task).await, expected);
    let inputs = bench.store.inputs(&[task.step(0)]).await.expect("the store reads inputs");
    assert_eq!(inputs[0].origin, draft.origin);
}

/// R10, S1.
pub(crate) async fn a_fresh_step_has_made_no_attempt(bench: &Bench) {
    let task = bench.submit("a{limit=5} -> b").await;
    let expected = StepRecord {
        id: task.step(0),
        state: State::Pending,
        parents: 0,
        unmet: 0,
        attempts: 0,
        retry_limit: 5,
        ready_at: Some(bench.now()),
        held: false,
        lease: None,
        started_at: None,
        ended_at: None,
        inputs: None,
        results: None,
        failure: None,
    };
    assert_eq!(bench.step(task, "a").await, expected);
    let child =
        StepRecord { id: task.step(1), parents: 1, unmet: 1, retry_limit: 3, ready_at: None, ..expected };
    assert_eq!(bench.step(task, "b").await, child);
}

/// R15: limit 0 and `retryable: false` mean no retry, not never run.
pub(crate) async fn a_step_without_retries_has_one_attempt(bench: &Bench) {
    let task = bench.submit("none{limit=0}, one{limit=1}, once{once limit=7}").await;
    for step in ["none", "one", "once"] {
        assert_eq!(bench.step(task, step).await.retry_limit, 1, "{step}");
    }
    assert_eq!(bench.claim(9).await.names(), "none, one, once");
}

pub(crate) async fn tasks_submitted_together_are_answered_in_order(bench: &Bench) {
    let plan = bench.draft_of("a").await.plan;
    let mut drafts: Vec<_> = (0..20).map(|_| bench.draft(plan)).collect();
    drafts.reverse();
    let expected: Vec<_> = drafts.iter().map(|draft| Submitted::Created(draft.id)).collect();
    assert_eq!(bench.try_submit(drafts).await, Ok(expected));
    assert_eq!(bench.all_tasks().await.len(), 20);
    assert_eq!(bench.claim(100).await.len(), 20);
}

pub(crate) async fn an_empty_submission_makes_nothing(bench: &Bench) {
    assert_eq!(bench.try_submit(Vec::new()).await, Ok(Vec::new()));
    assert_eq!(bench.all_tasks().await, []);
}

pub(crate) async fn a_submission_with_an_unknown_plan_makes_nothing(bench: &Bench) {
    let good = bench.draft_of("a").await;
    for plan in [PlanId(0), PlanId(-1), PlanId(good.plan.0 + 1), PlanId(i64::MIN), PlanId(i64::MAX)] {
        let submitted = bench.try_submit(vec![good.clone(), bench.draft(plan)]).await;
        assert_eq!(submitted, Err(SubmitError::UnknownPlan { index: 1 }), "{plan:?}");
    }
    assert_eq!(bench.all_tasks().await, []);
    assert!(bench.claim(9).await.is_empty());
    bench.create(good).await;
}

pub(crate) async fn a_submission_with_a_taken_id_makes_nothing(bench: &Bench) {
    let first = bench.draft_of("a").await;
    let id = bench.create(first.clone()).await;
    let again = NewTask { reason: "another".to_owned(), ..first };
    let submitted = bench.try_submit(vec![bench.draft(again.plan), again]).await;
    assert_eq!(submitted, Err(SubmitError::IdTaken { index: 1, id }));
    assert_eq!(bench.all_tasks().await.len(), 1);
    assert_eq!(bench.task(id).await.reason, "basic test");
}

pub(crate) async fn an_id_twice_in_one_submission_is_refused(bench: &Bench) {
    let draft = bench.draft_of("a").await;
    let submitted = bench.try_submit(vec![draft.clone(), draft.clone()]).await;
    assert_eq!(submitted, Err(SubmitError::IdTaken { index: 1, id: draft.id }));
    assert_eq!(bench.all_tasks().await, []);
    bench.create(draft).await;
}

pub(crate) async fn the_first_fault_of_a_submission_is_told(bench: &Bench) {
    let draft = bench.draft_of("a").await;
    let id = bench.create(draft.clone()).await;
    let unknown = NewTask { plan: PlanId(i64::MAX), ..draft.clone() };
    let submitted = bench.try_submit(vec![draft.clone(), unknown.clone()]).await;
    assert_eq!(submitted, Err(SubmitError::IdTaken { index: 0, id }));
    let submitted = bench.try_submit(vec![unknown, draft]).await;
    assert_eq!(submitted, Err(SubmitError::UnknownPlan { index: 0 }), "the plan is looked at before the id");
}

pub(crate) async fn a_refused_submission_leaves_no_trace_in_the_feed(bench: &Bench) {
    let draft = bench.draft_of("a").await;
    let before = bench.store.feed_end().await.expect("the end of the feed");
    let refused = bench.try_submit(vec![draft.clone(), draft.clone()]).await;
    assert!(refused.is_err());
    let page = bench.store.feed(before, 100).await.expect("a page of the feed");
    assert_eq!(page.transitions, []);
    assert_eq!(bench.store.task(draft.id).await.expect("an answer"), None);
    assert_eq!(bench.steps(draft.id).await, []);
    assert_eq!(bench.transitions(draft.id).await, []);
}

pub(crate) async fn a_task_may_be_asked_for_at_any_time(bench: &Bench) {
    let plan = bench.draft_of("a").await.plan;
    for micros in [0, -1, 253_402_300_799_999_999, bench.now().as_micros() + 1] {
        let requested_at = Timestamp::from_micros(micros);
        let task = bench.create(NewTask { requested_at, ..bench.draft(plan) }).await;
        assert_eq!(bench.task(task).await.requested_at, requested_at);
        assert_eq!(
            bench.step(task, "a").await.ready_at,
            Some(bench.now()),
            "ready now whenever it was asked for"
        );
    }
}
