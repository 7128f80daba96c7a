//! Taking leases.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tasker_core::{HandlerName, LeaseKey, QueueName, State, TaskId};

use crate::conformance::bench::{Bench, LEASE, assert_lines, worker};
use crate::conformance::graph::graph;
use crate::work::{ClaimRequest, Lease, SettleRequest};

fn handlers(names: &[&str]) -> Arc<[HandlerName]> {
    names.iter().map(|name| name.parse().expect("a handler's name")).collect()
}

fn queues(names: &[&str]) -> Arc<[QueueName]> {
    names.iter().map(|name| name.parse().expect("a queue's name")).collect()
}

pub(crate) async fn where_nothing_is_ready_nothing_is_claimed(bench: &Bench) {
    assert!(bench.claim(10).await.is_empty());
    let request = ClaimRequest { queues: queues(&["q"]), handlers: handlers(&["h"]), ..bench.ask(10).await };
    assert!(bench.claim_as(request).await.is_empty());
}

pub(crate) async fn a_lease_says_what_may_be_done_until_when(bench: &Bench) {
    let task = bench.submit("a{limit=4}").await;
    let ready_at = bench.now();
    bench.advance(3);
    let expected = Lease {
        key: LeaseKey { step: task.step(0), attempt: 1 },
        plan: bench.task(task).await.plan,
        worker: worker(7),
        claimed_at: bench.now(),
        until: bench.now().plus(LEASE),
        retry_limit: 4,
        ready_at,
        starts_task: true,
    };
    assert_eq!(bench.claim_by(worker(7), 1).await.one(), expected);
    let step = bench.step(task, "a").await;
    assert_eq!((step.state, step.attempts, step.ready_at), (State::InProgress, 1, None));
    assert_eq!(step.lease, Some((worker(7), expected.until)));
    assert_eq!((step.started_at, step.ended_at), (Some(bench.now()), None));
}

/// S12.
pub(crate) async fn the_first_claim_starts_the_task(bench: &Bench) {
    let task = bench.submit("a, b").await;
    bench.advance(1);
    bench.claim(1).await;
    let started_at = bench.task(task).await.started_at;
    assert_eq!(started_at, Some(bench.now()));
    bench.advance(1);
    bench.claim(1).await;
    assert_eq!(bench.task(task).await.started_at, started_at);
    assert_lines(
        &bench.history(task).await,
        "task → pending submitted
         task pending → in_progress started
         a pending → in_progress claimed #1
         b pending → in_progress claimed #1",
    );
}

pub(crate) async fn the_record_names_the_worker_who_claimed(bench: &Bench) {
    let task = bench.submit("a").await;
    bench.advance(2);
    bench.claim_by(worker(7), 1).await;
    let history = bench.transitions(task).await;
    let last = history.last().expect("a transition");
    assert_eq!(last.by, Some(worker(7).to_string()));
    assert_eq!((last.step, last.at), (Some(task.step(0)), bench.now()));
}

/// W10.
pub(crate) async fn a_claimed_step_is_not_claimed_again(bench: &Bench) {
    bench.submit("a, b").await;
    assert_eq!(bench.claim_by(worker(1), 9).await.names(), "a, b");
    assert!(bench.claim_by(worker(1), 9).await.is_empty());
    assert!(bench.claim_by(worker(2), 9).await.is_empty());
}

pub(crate) async fn no_more_is_claimed_than_asked_for(bench: &Bench) {
    bench.submit("a, b, c, d, e").await;
    assert!(bench.claim(0).await.is_empty());
    assert_eq!(bench.claim(2).await.names(), "a, b");
    assert_eq!(bench.claim(u32::MAX).await.names(), "c, d, e");
}

pub(crate) async fn only_steps_of_the_queues_asked_for_are_claimed(bench: &Bench) {
    bench.submit("a, b{queue=bulk}, c{queue=Bulk}").await;
    for (asked, expected) in
        [(&[] as &[&str], ""), (&["none"], ""), (&["bulk"], "b"), (&["Bulk", "default"], "a, c")]
    {
        let request = ClaimRequest { queues: queues(asked), ..bench.ask(9).await };
        assert_eq!(bench.claim_as(request).await.names(), expected, "{asked:?}");
    }
}

/// A step whose handler nobody offers stays claimable and keeps nothing else waiting.
pub(crate) async fn only_steps_of_the_handlers_asked_for_are_claimed(bench: &Bench) {
    let exotic = bench.submit("a{handler=exotic priority=9}, b{handler=exotic}").await;
    bench.submit("c").await;
    let request = ClaimRequest { handlers: handlers(&[]), ..bench.ask(1).await };
    assert!(bench.claim_as(request).await.is_empty());
    let request = ClaimRequest { handlers: handlers(&["run", "other"]), ..bench.ask(1).await };
    assert_eq!(bench.claim_as(request).await.names(), "c");
    assert_eq!(bench.picture(exotic).await, "pending: a pending(ready), b pending(ready)");
    let request = ClaimRequest { handlers: handlers(&["exotic"]), ..bench.ask(9).await };
    assert_eq!(bench.claim_as(request).await.names(), "a, b");
}

pub(crate) async fn a_handler_asked_for_twice_gives_its_steps_once(bench: &Bench) {
    bench.submit("a, b").await;
    let request = ClaimRequest {
        queues: queues(&["default", "default"]),
        handlers: handlers(&["run", "run"]),
        ..bench.ask(9).await
    };
    assert_eq!(bench.claim_as(request).await.names(), "a, b");
}

pub(crate) async fn what_has_been_ready_longest_comes_first(bench: &Bench) {
    bench.submit("one: a -> late").await;
    bench.advance(1);
    bench.submit("two: b").await;
    bench.advance(1);
    let first = bench.claim(1).await;
    assert_eq!(first.names(), "a");
    bench.complete(first.one()).await;
    bench.submit("three: c").await;
    assert_eq!(bench.claim(9).await.names(), "b, late, c", "equally old ones go by their ids");
}

pub(crate) async fn higher_priorities_come_first(bench: &Bench) {
    bench.submit("low{priority=-5}, plain, high{priority=5}, highest{priority=100}").await;
    assert_eq!(bench.claim(3).await.names(), "highest, high, plain");
    assert_eq!(bench.claim(3).await.names(), "low");
}

pub(crate) async fn the_priorities_of_task_and_step_add_up(bench: &Bench) {
    let template = graph("a{priority=10}, b");
    let (plain, urgent) = (bench.plan_of(&template, 0).await, bench.plan_of(&template, 5).await);
    let plain = bench.create(bench.draft(plain)).await;
    let urgent = bench.create(bench.draft(urgent)).await;
    let leases = bench.claim(9).await.all();
    let order: Vec<_> =
        leases.iter().map(|lease| (lease.key.step.task(), lease.key.step.ordinal())).collect();
    assert_eq!(order, [(urgent, 0), (plain, 0), (urgent, 1), (plain, 1)]);
}

pub(crate) async fn priorities_reach_from_the_least_number_to_the_greatest(bench: &Bench) {
    let template = graph("a{priority=-100}, b{priority=100}");
    for priority in [0, i32::MIN, i32::MAX] {
        let plan = bench.plan_of(&template, priority).await;
        bench.create(bench.draft(plan)).await;
    }
    let mut priorities = Vec::new();
    for lease in bench.claim(9).await.all() {
        priorities
            .push(bench.store.read_plan(lease.plan).await.expect("an answer").expect("a plan").priority);
    }
    assert_eq!(priorities, [i32::MAX, i32::MAX, 0, 0, i32::MIN, i32::MIN]);
}

/// Lanes are numbered from 1 as plans first need them, and ordered by number plus turn modulo 97.
pub(crate) async fn lanes_of_equal_priority_take_turns(bench: &Bench) {
    for _ in 0..3 {
        bench.submit("a{handler=x}, b{handler=y}, c{handler=z}").await;
    }
    let mut order = Vec::new();
    for turn in [0, 94, 95, u32::MAX] {
        let request = ClaimRequest { turn, ..bench.ask(2).await };
        order.push(bench.claim_as(request).await.names());
    }
    // u32::MAX is 34 modulo 97: the lanes are in their own order again.
    assert_eq!(order, ["a, a", "c, c", "b, b", "a, b"]);
}

pub(crate) async fn a_step_is_claimed_from_its_time_on(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.retry_in(lease, 2).await;
    bench.clock.advance(Duration::from_micros(1_999_999));
    assert!(bench.claim(1).await.is_empty());
    assert_eq!(bench.picture(task).await, "in_progress: a error#1(in 0.000001 s)");
    bench.clock.advance(Duration::from_micros(1));
    assert_eq!(bench.claim(1).await.one().key.attempt, 2);
}

pub(crate) async fn one_claim_takes_steps_of_many_tasks(bench: &Bench) {
    let mut tasks = Vec::new();
    for name in ["one: a, b", "two: c", "three: d -> e"] {
        tasks.push(bench.submit(name).await);
    }
    assert_eq!(bench.claim(9).await.names(), "a, b, c, d");
    for task in tasks {
        assert_eq!(bench.task(task).await.state, State::InProgress);
    }
}

pub(crate) async fn a_claim_for_one_task_leaves_all_others_as_they_are(bench: &Bench) {
    let before = bench.submit("one: a, b").await;
    let wanted = bench.submit("two: c{priority=-5}, d").await;
    let other = bench.history(before).await;
    let request = ClaimRequest { task: Some(wanted), ..bench.ask(9).await };
    assert_eq!(bench.claim_as(request.clone()).await.names(), "d, c");
    assert_eq!(bench.history(before).await, other);
    assert!(bench.claim_as(request).await.is_empty());
    assert_eq!(bench.claim(9).await.names(), "a, b");
}

pub(crate) async fn a_claim_for_one_task_keeps_the_order_of_any_claim(bench: &Bench) {
    let task = bench.submit("a, b{priority=1}, c{handler=x}, d").await;
    bench.submit("e").await;
    let mut names = Vec::new();
    for capacity in [2, 0, 1, 9] {
        let request = ClaimRequest { task: Some(task), ..bench.ask(capacity).await };
        names.push(bench.claim_as(request).await.names());
    }
    assert_eq!(names, ["b, a", "", "d", "c"]);
    let request = ClaimRequest { task: Some(bench.submit("f, g{handler=x}").await), ..bench.ask(9).await };
    let only_x = ClaimRequest { handlers: handlers(&["x"]), ..request };
    assert_eq!(bench.claim_as(only_x).await.names(), "g");
}

pub(crate) async fn a_claim_for_a_task_unknown_paused_or_ended_gets_nothing(bench: &Bench) {
    let (paused, ended) = (bench.submit("a, b").await, bench.submit("c, d").await);
    bench.pause(paused).await.expect("allowed");
    bench.cancel(ended).await.expect("allowed");
    for task in [paused, ended, TaskId::new(bench.now(), 1)] {
        let request = ClaimRequest { task: Some(task), ..bench.ask(9).await };
        assert!(bench.claim_as(request).await.is_empty(), "{task}");
    }
}

pub(crate) async fn a_settlement_may_claim_for_one_task(bench: &Bench) {
    bench.submit("a, b").await;
    let task = bench.submit("c -> d").await;
    let claim = ClaimRequest { task: Some(task), ..bench.ask(9).await };
    let lease = bench.claim_as(claim.clone()).await.one();
    let request = SettleRequest { settlements: vec![lease.complete(json!(1))], claim: Some(claim) };
    let reply = bench.settle_request(request).await;
    assert_eq!(bench.hand(reply.leases).await.names(), "d");
}

pub(crate) async fn a_lease_may_be_as_short_as_nothing_or_as_long_as_time(bench: &Bench) {
    bench.submit("a, b").await;
    let request = ClaimRequest { lease: Duration::ZERO, ..bench.ask(1).await };
    let lease = bench.claim_as(request).await.one();
    assert_eq!(lease.until, bench.now());
    assert_eq!(bench.expired().await.len(), 1);
    let request = ClaimRequest { lease: Duration::MAX, ..bench.ask(1).await };
    let lease = bench.claim_as(request).await.one();
    assert_eq!(lease.until.as_micros(), i64::MAX);
    assert_eq!(bench.expired().await.len(), 1);
}
