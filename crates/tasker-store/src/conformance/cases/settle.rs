//! Recording how attempts ended.

use std::time::Duration;

use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, LeaseKey, State, When};

use crate::conformance::bench::{Bench, assert_lines, failure, settled_text, worker};
use crate::work::{Guard, Settled, Settlement, Verdict};

const STALE: Settled = Settled::Stale;

fn held(key: LeaseKey, holder: u128) -> Settlement {
    let verdict = Verdict::Complete { results: json!("late") };
    Settlement { key, guard: Guard::Held { worker: worker(holder) }, verdict }
}

/// W1, S11.
pub(crate) async fn a_chain_costs_one_commit_per_hop(bench: &Bench) {
    let task = bench.submit("a -> b -> c").await;
    let mut hand = bench.claim(1).await;
    for expected in ["a", "b", "c"] {
        assert_eq!(hand.names(), expected);
        let (reply, next) = bench.settle_and_claim(vec![hand.one().complete(Value::Null)], 1).await;
        assert_eq!(reply.settled, [Settled::Recorded { state: State::Complete, ready_at: None }]);
        hand = next;
    }
    assert!(hand.is_empty());
    assert_lines(
        &bench.history(task).await,
        "task → pending submitted
         task pending → in_progress started
         a pending → in_progress claimed #1
         a in_progress → complete completed #1
         b pending → in_progress claimed #1
         b in_progress → complete completed #1
         c pending → in_progress claimed #1
         c in_progress → complete completed #1
         task in_progress → complete completed",
    );
}

/// S4.
pub(crate) async fn the_last_step_completes_the_task(bench: &Bench) {
    let task = bench.submit("a, b").await;
    let mut hand = bench.claim(2).await;
    bench.advance(4);
    let reply = bench.settle_all(vec![hand.take("b").complete(json!(1))]).await;
    assert_eq!(reply.verdicts, []);
    assert_eq!(bench.task(task).await.ended_at, None);
    bench.advance(4);
    let reply = bench.settle_all(vec![hand.take("a").complete(json!(2))]).await;
    assert_eq!(reply.verdicts, [(task, State::Complete)]);
    let record = bench.task(task).await;
    assert_eq!((record.state, record.ended_at), (State::Complete, Some(bench.now())));
    assert_eq!((record.unfinished, record.active), (0, 0));
}

pub(crate) async fn a_completed_step_keeps_its_results(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.advance(9);
    bench.settle(lease.complete(json!({"total": 12.5, "lines": [1, null]}))).await;
    let step = bench.step(task, "a").await;
    assert_eq!(step.results, Some(json!({"total": 12.5, "lines": [1, null]})));
    assert_eq!((step.state, step.ended_at), (State::Complete, Some(bench.now())));
    assert_eq!((step.lease, step.ready_at), (None, None));
}

/// JSON's null is a value; it is not the absence of one.
pub(crate) async fn a_step_may_complete_with_null(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    let lease = bench.claim(1).await.one();
    bench.settle(lease.complete(Value::Null)).await;
    assert_eq!(bench.step(task, "a").await.results, Some(Value::Null));
    assert_eq!(bench.inputs(task, "b").await.1, [(0, Value::Null)]);
}

/// R2.
pub(crate) async fn a_step_waits_for_all_it_depends_on(bench: &Bench) {
    let task = bench.submit("a, b, c -> d").await;
    let mut hand = bench.claim(9).await;
    bench.complete(hand.take("c")).await;
    assert_eq!(bench.step(task, "d").await.unmet, 2);
    bench.complete(hand.take("a")).await;
    assert!(bench.claim(9).await.is_empty());
    bench.advance(5);
    bench.complete(hand.take("b")).await;
    assert_eq!(bench.step(task, "d").await.ready_at, Some(bench.now()));
    assert_eq!(bench.claim(9).await.names(), "d");
}

pub(crate) async fn parents_that_end_in_one_commit_free_their_child_once(bench: &Bench) {
    let task = bench.submit("a, b, c -> d").await;
    let done = bench.claim(9).await.all().into_iter().map(|lease| lease.complete(Value::Null)).collect();
    let (reply, hand) = bench.settle_and_claim(done, 9).await;
    assert_eq!(reply.settled.len(), 3);
    assert_eq!(hand.names(), "d");
    assert_eq!(bench.step(task, "d").await.unmet, 0);
}

/// W12.
pub(crate) async fn a_failed_attempt_says_why_and_when_again(bench: &Bench) {
    let task = bench.submit("a").await;
    let failure = Failure::new(FailureKind::Timeout, "took too long")
        .with_code("HTTP_504")
        .with_details(json!({"status": 504, "headers": {"retry-after": "2"}}));
    let lease = bench.claim(1).await.one();
    bench.advance(1);
    let settled = bench.settle(lease.retry(failure.clone(), When::After(Duration::from_secs(2)))).await;
    assert_eq!(settled, Settled::Recorded { state: State::Error, ready_at: Some(bench.in_seconds(2)) });
    let step = bench.step(task, "a").await;
    assert_eq!((step.failure.as_ref(), step.ended_at), (Some(&failure), Some(bench.now())));
    assert_eq!(bench.picture(task).await, "in_progress: a error#1(in 2 s)");
    let history = bench.transitions(task).await;
    let last = history.last().expect("a transition");
    assert_eq!(last.details, serde_json::to_value(&failure).expect("a failure as JSON"));
}

pub(crate) async fn success_clears_the_failure_before_it(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 0).await;
    let lease = bench.claim(1).await.one();
    assert_eq!(bench.step(task, "a").await.failure, Some(failure()), "kept while the next attempt runs");
    bench.complete(lease).await;
    let step = bench.step(task, "a").await;
    assert_eq!((step.failure, step.results), (None, Some(json!({"attempt": 2}))));
    assert_eq!(bench.picture(task).await, "complete: a complete#2");
}

pub(crate) async fn the_time_of_the_next_attempt_may_be_a_point_in_time(bench: &Bench) {
    let task = bench.submit("a{limit=9}").await;
    let tomorrow = bench.in_seconds(86_400);
    let lease = bench.claim(1).await.one();
    bench.settle(lease.retry(failure(), When::At(tomorrow))).await;
    assert_eq!(bench.step(task, "a").await.ready_at, Some(tomorrow));
    bench.advance(86_400);
    let lease = bench.claim(1).await.one();
    let yesterday = bench.now().minus(Duration::from_hours(24));
    bench.settle(lease.retry(failure(), When::At(yesterday))).await;
    assert_eq!(bench.step(task, "a").await.ready_at, Some(yesterday));
    let lease = bench.claim(1).await.one();
    bench.settle(lease.retry(failure(), When::After(Duration::MAX))).await;
    assert_eq!(
        bench.step(task, "a").await.ready_at.expect("a time").as_micros(),
        i64::MAX,
        "the end of time"
    );
    assert_eq!(bench.task(task).await.active, 1);
}

/// W6, R9.
pub(crate) async fn the_last_attempt_that_fails_blocks_the_task(bench: &Bench) {
    let task = bench.submit("a{limit=2} -> b").await;
    let lease = bench.claim(1).await.one();
    assert_eq!(settled_text(bench.retry_in(lease, 0).await, bench.now()), "error, again in 0 s");
    let lease = bench.claim(1).await.one();
    let reply = bench.settle_all(vec![lease.retry(failure(), When::After(Duration::ZERO))]).await;
    assert_eq!(reply.settled, [Settled::Recorded { state: State::Error, ready_at: None }]);
    assert_eq!(reply.verdicts, [(task, State::Error)]);
    assert_eq!(bench.picture(task).await, "error: a error#2, b pending(1 unmet)");
    assert_lines(
        &bench.history(task).await,
        "task → pending submitted
         task pending → in_progress started
         a pending → in_progress claimed #1
         a in_progress → error failed #1
         a error → pending retry_due #2
         a pending → in_progress claimed #2
         a in_progress → error failed #2
         task in_progress → error blocked",
    );
}

/// E9.
pub(crate) async fn a_permanent_failure_blocks_at_its_first_attempt(bench: &Bench) {
    let task = bench.submit("a{limit=3} -> b").await;
    let lease = bench.claim(1).await.one();
    assert_eq!(settled_text(bench.fail(lease).await, bench.now()), "error");
    assert_eq!(bench.picture(task).await, "error: a error#1, b pending(1 unmet)");
    bench.advance(1_000);
    assert!(bench.claim(9).await.is_empty());
    assert_eq!(bench.task(task).await.ended_at, Some(bench.now().minus(Duration::from_secs(1_000))));
}

pub(crate) async fn a_snooze_costs_no_attempt(bench: &Bench) {
    let task = bench.submit("a{limit=1}").await;
    for round in 1..=3 {
        let lease = bench.claim(1).await.one();
        assert_eq!((lease.key.attempt, lease.retry_limit), (round, round));
        assert_eq!(settled_text(bench.snooze(lease, 5).await, bench.now()), "pending, again in 5 s");
        assert!(bench.claim(1).await.is_empty());
        assert_eq!(bench.picture(task).await, format!("in_progress: a pending#{round}(in 5 s)"));
        assert_eq!(bench.step(task, "a").await.ended_at, Some(bench.now()));
        bench.advance(5);
    }
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 1).await;
    assert_eq!(bench.picture(task).await, "error: a error#4");
    let snoozed = "a in_progress → pending snoozed #3";
    assert!(bench.history(task).await.contains(snoozed));
}

pub(crate) async fn a_snooze_keeps_the_failure_of_the_attempt_before(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 0).await;
    let lease = bench.claim(1).await.one();
    bench.snooze(lease, 0).await;
    let step = bench.step(task, "a").await;
    assert_eq!((step.state, step.failure), (State::Pending, Some(failure())));
    assert_eq!((step.attempts, step.retry_limit), (2, 4));
}

/// W9.
pub(crate) async fn a_late_settle_changes_nothing(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    let late = bench.claim_by(worker(1), 1).await.one();
    bench.advance(61);
    bench.rescue().await;
    let lease = bench.claim_by(worker(2), 1).await.one();
    let before = (bench.steps(task).await, bench.history(task).await);
    let reply = bench.settle_all(vec![late.complete(json!("late"))]).await;
    assert_eq!((reply.settled, reply.verdicts), (vec![STALE], vec![]));
    assert_eq!((bench.steps(task).await, bench.history(task).await), before);
    bench.complete(lease).await;
    assert_eq!(bench.step(task, "a").await.results, Some(json!({"attempt": 2})));
}

pub(crate) async fn an_attempt_is_settled_once(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    let key = lease.key;
    bench.complete(lease).await;
    let before = (bench.steps(task).await, bench.history(task).await);
    assert_eq!(bench.settle(held(key, 1)).await, STALE);
    let failed = Verdict::Fail { failure: failure() };
    let settlement = Settlement { key, guard: Guard::Held { worker: worker(1) }, verdict: failed };
    assert_eq!(bench.settle(settlement).await, STALE);
    assert_eq!((bench.steps(task).await, bench.history(task).await), before);
}

pub(crate) async fn only_the_holder_may_settle(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim_by(worker(1), 1).await.one();
    assert_eq!(bench.settle(held(lease.key, 2)).await, STALE);
    assert_eq!(bench.picture(task).await, "in_progress: a in_progress#1");
    assert_eq!(bench.complete(lease).await, Settled::Recorded { state: State::Complete, ready_at: None });
}

pub(crate) async fn only_the_present_attempt_may_be_settled(bench: &Bench) {
    let task = bench.submit("a, b").await;
    let mut hand = bench.claim(1).await;
    let LeaseKey { step, attempt } = hand.take("a").key;
    for attempt in [0, attempt + 1, u32::MAX] {
        assert_eq!(bench.settle(held(LeaseKey { step, attempt }, 1)).await, STALE, "{attempt}");
    }
    assert_eq!(
        bench.settle(held(LeaseKey { step: task.step(1), attempt: 0 }, 1)).await,
        STALE,
        "not claimed"
    );
    assert_eq!(bench.picture(task).await, "in_progress: a in_progress#1, b pending(ready)");
}

pub(crate) async fn what_does_not_exist_cannot_be_settled(bench: &Bench) {
    let task = bench.submit("a").await;
    for step in [bench.task_id().step(0), task.step(1), task.step(1_000_000)] {
        assert_eq!(bench.settle(held(LeaseKey { step, attempt: 1 }, 1)).await, STALE);
    }
}

/// The worker was slow, but nobody took its place.
pub(crate) async fn a_settle_after_the_lease_ran_out_counts_until_the_rescue(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.advance(1_000);
    let expired = bench.expired().await;
    bench.complete(lease).await;
    assert_eq!(bench.picture(task).await, "complete: a complete");
    let rescue = Settlement {
        key: expired[0].key,
        guard: Guard::Expired,
        verdict: Verdict::Fail { failure: failure() },
    };
    assert_eq!(bench.settle(rescue).await, STALE);
}

pub(crate) async fn each_settlement_of_a_request_has_its_answer(bench: &Bench) {
    let task = bench.submit("a, b, c -> d").await;
    let mut hand = bench.claim(9).await;
    let (a, b, c) = (hand.take("a"), hand.take("b"), hand.take("c"));
    let foreign = held(b.key, 2);
    let reply = bench.settle_all(vec![
        c.retry(failure(), When::After(Duration::from_secs(3))),
        foreign,
        a.complete(json!(1)),
    ]);
    let told: Vec<_> =
        reply.await.settled.into_iter().map(|settled| settled_text(settled, bench.now())).collect();
    assert_eq!(told, ["error, again in 3 s", "stale", "complete"]);
    bench.complete(b).await;
    assert_eq!(
        bench.picture(task).await,
        "in_progress: a complete, b complete, c error#1(in 3 s), d pending(1 unmet)"
    );
}

pub(crate) async fn of_one_attempt_settled_twice_in_a_request_the_first_counts(bench: &Bench) {
    let task = bench.submit("a, b").await;
    let mut hand = bench.claim(9).await;
    let (a, b) = (hand.take("a"), hand.take("b"));
    let again = held(a.key, 1);
    let reply = bench.settle_all(vec![a.complete(json!("first")), again, b.complete(json!("b"))]).await;
    let complete = Settled::Recorded { state: State::Complete, ready_at: None };
    assert_eq!(reply.settled, [complete, STALE, complete]);
    assert_eq!(reply.verdicts, [(task, State::Complete)]);
    assert_eq!(bench.step(task, "a").await.results, Some(json!("first")));
}

pub(crate) async fn a_request_may_settle_and_claim_nothing(bench: &Bench) {
    let reply = bench.settle_all(Vec::new()).await;
    assert_eq!((reply.settled, reply.verdicts, reply.leases), (vec![], vec![], vec![]));
    bench.submit("a").await;
    let (reply, hand) = bench.settle_and_claim(Vec::new(), 1).await;
    assert_eq!((reply.settled, hand.names()), (vec![], "a".to_owned()));
}

pub(crate) async fn verdicts_come_in_the_order_of_the_settlements(bench: &Bench) {
    let (one, two, three) =
        (bench.submit("one: a").await, bench.submit("two: b -> x").await, bench.submit("three: c, d").await);
    let mut hand = bench.claim(9).await;
    let (a, b, c, d) = (hand.take("a"), hand.take("b"), hand.take("c"), hand.take("d"));
    let reply = bench.settle_all(vec![
        c.complete(Value::Null),
        b.fail(failure()),
        a.complete(Value::Null),
        d.complete(Value::Null),
    ]);
    let expected = [(three, State::Complete), (two, State::Error), (one, State::Complete)];
    assert_eq!(reply.await.verdicts, expected);
}

/// W7.
pub(crate) async fn a_task_goes_on_beside_a_failed_step(bench: &Bench) {
    let task = bench.submit("a, b -> c").await;
    let task_two = bench.submit("dummy: one; two -> three").await;
    let mut hand = bench.claim(9).await;
    bench.fail(hand.take("one")).await;
    assert_eq!(
        bench.picture(task_two).await,
        "in_progress: one error#1, two in_progress#1, three pending(1 unmet)"
    );
    bench.complete(hand.take("two")).await;
    let three = bench.claim(1).await.one();
    let reply = bench.settle_all(vec![three.complete(Value::Null)]).await;
    assert_eq!(reply.verdicts, [(task_two, State::Error)]);
    bench.fail(hand.take("a")).await;
    assert_eq!(bench.task(task).await.state, State::InProgress);
    bench.complete(hand.take("b")).await;
    assert_eq!(bench.picture(task).await, "error: a error#1, b complete, c pending(1 unmet)");
}
