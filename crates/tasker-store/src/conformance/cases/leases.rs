//! Renewing leases, and what becomes of those that nobody renews.

use std::time::Duration;

use serde_json::json;
use tasker_core::{LeaseKey, State, When};

use crate::conformance::bench::{Bench, LEASE, assert_lines, failure, worker};
use crate::work::{Guard, Renewed, Settled, Settlement, Verdict};

fn rescue(key: LeaseKey) -> Settlement {
    let verdict = Verdict::Retry { failure: failure(), when: When::After(Duration::ZERO) };
    Settlement { key, guard: Guard::Expired, verdict }
}

pub(crate) async fn a_renewed_lease_holds_from_now_on(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.advance(50);
    let until = bench.in_seconds(60);
    assert_eq!(bench.renew(worker(1), &[lease.key], LEASE).await, [Renewed::Until(until)]);
    assert_eq!(bench.step(task, "a").await.lease, Some((worker(1), until)));
    bench.advance(59);
    assert_eq!(bench.expired().await, []);
    let until = bench.in_seconds(5);
    let renewed = bench.renew(worker(1), &[lease.key], Duration::from_secs(5)).await;
    assert_eq!(renewed, [Renewed::Until(until)]);
    bench.advance(5);
    assert_eq!(bench.expired().await[0].until, until);
}

pub(crate) async fn a_renewal_may_make_a_lease_shorter(bench: &Bench) {
    bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    let until = bench.in_seconds(2);
    let renewed = bench.renew(worker(1), &[lease.key], Duration::from_secs(2)).await;
    assert_eq!(renewed, [Renewed::Until(until)]);
    bench.advance(2);
    assert_eq!(bench.expired().await.len(), 1);
}

pub(crate) async fn a_lease_that_is_gone_is_lost(bench: &Bench) {
    let task = bench.submit("settled, cancelled, anothers, rescued, mine").await;
    let mut hand = bench.claim(9).await;
    let mut keys = Vec::new();
    for step in ["settled", "cancelled", "anothers", "rescued", "mine"] {
        let lease = hand.take(step);
        keys.push(lease.key);
        if step == "settled" {
            bench.complete(lease).await;
        }
    }
    bench.cancel_step(task, "cancelled").await.expect("a step at work may be cancelled");
    bench.renew(worker(1), &[keys[2], keys[4]], Duration::from_hours(1)).await;
    bench.advance(60);
    bench.rescue().await;
    keys.push(LeaseKey { step: task.step(4), attempt: 2 });
    keys.push(LeaseKey { step: bench.task_id().step(0), attempt: 1 });
    let until = Renewed::Until(bench.in_seconds(60));
    let renewed = bench.renew(worker(1), &keys, LEASE).await;
    let lost = Renewed::Lost;
    assert_eq!(renewed, [lost, lost, until, lost, until, lost, lost]);
    assert_eq!(bench.renew(worker(2), &keys[2..3], LEASE).await, [Renewed::Lost], "it is another's");
}

pub(crate) async fn nothing_is_renewed_where_nothing_is_asked(bench: &Bench) {
    assert_eq!(bench.renew(worker(1), &[], LEASE).await, []);
}

pub(crate) async fn a_lease_renewed_twice_at_once_is_answered_twice(bench: &Bench) {
    bench.submit("a").await;
    let key = bench.claim(1).await.one().key;
    let until = Renewed::Until(bench.in_seconds(60));
    assert_eq!(bench.renew(worker(1), &[key, key], LEASE).await, [until, until]);
}

/// A worker that was cut off for a while may go on if nobody took its place.
pub(crate) async fn a_lease_that_ran_out_may_be_renewed_until_the_rescue(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.advance(100);
    let seen = bench.expired().await;
    bench.renew(worker(1), &[lease.key], LEASE).await;
    assert_eq!(bench.settle(rescue(seen[0].key)).await, Settled::Stale);
    assert_eq!(bench.picture(task).await, "in_progress: a in_progress#1");
    bench.complete(lease).await;
    assert_eq!(bench.picture(task).await, "complete: a complete");
}

pub(crate) async fn a_renewal_leaves_no_trace_in_the_feed(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    let before = bench.history(task).await;
    bench.renew(worker(1), &[lease.key], LEASE).await;
    assert_eq!(bench.history(task).await, before);
    assert_eq!(bench.step(task, "a").await.started_at, Some(bench.now()));
}

pub(crate) async fn a_lease_runs_out_at_its_time_and_not_before(bench: &Bench) {
    let task = bench.submit("a").await;
    let lease = bench.claim_by(worker(3), 1).await.one();
    bench.clock.advance(LEASE.saturating_sub(Duration::from_micros(1)));
    assert_eq!(bench.expired().await, []);
    assert_eq!(bench.settle(rescue(lease.key)).await, Settled::Stale, "nobody rescues what is not lost");
    bench.clock.advance(Duration::from_micros(1));
    let expired = bench.expired().await;
    assert_eq!((expired.len(), expired[0].key, expired[0].worker), (1, lease.key, worker(3)));
    assert_eq!((expired[0].until, expired[0].plan), (bench.now(), bench.task(task).await.plan));
}

pub(crate) async fn expired_leases_come_oldest_first(bench: &Bench) {
    let task = bench.submit("a, b, c, d").await;
    let keys: Vec<_> = bench.claim(9).await.all().iter().map(|lease| lease.key).collect();
    for (key, seconds) in keys.iter().zip([30, 10, 40, 10]) {
        bench.renew(worker(1), &[*key], Duration::from_secs(seconds)).await;
    }
    bench.advance(35);
    let expired = bench.expired().await;
    let order: Vec<_> = expired.iter().map(|expired| expired.key.step.ordinal()).collect();
    assert_eq!(order, [1, 3, 0], "equally old ones by their ids");
    let oldest = bench.store.expired(2).await.expect("expired leases");
    assert_eq!(oldest, expired[..2]);
    assert_eq!(bench.store.expired(0).await.expect("expired leases"), []);
    assert_eq!(bench.task(task).await.state, State::InProgress);
}

/// W9.
pub(crate) async fn the_step_of_a_dead_worker_is_attempted_again(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    bench.claim_by(worker(1), 1).await;
    bench.advance(60);
    bench.rescue().await;
    assert_eq!(bench.picture(task).await, "in_progress: a error#1(ready), b pending(1 unmet)");
    let lease = bench.claim_by(worker(2), 1).await.one();
    assert_eq!(lease.key.attempt, 2);
    bench.complete(lease).await;
    bench.complete_everything().await;
    assert_lines(
        &bench.history(task).await,
        "task → pending submitted
         task pending → in_progress started
         a pending → in_progress claimed #1
         a in_progress → error lease_expired #1
         a error → pending retry_due #2
         a pending → in_progress claimed #2
         a in_progress → complete completed #2
         b pending → in_progress claimed #1
         b in_progress → complete completed #1
         task in_progress → complete completed",
    );
}

pub(crate) async fn a_step_that_loses_every_worker_is_blocked(bench: &Bench) {
    let task = bench.submit("a{limit=2}").await;
    for _ in 0..2 {
        bench.claim(1).await.one();
        bench.advance(60);
        bench.rescue().await;
    }
    assert_eq!(bench.picture(task).await, "error: a error#2");
    assert!(bench.history(task).await.contains("a in_progress → error lease_expired #2"));
    assert_eq!(bench.expired().await, []);
}

pub(crate) async fn a_lease_is_rescued_once(bench: &Bench) {
    let task = bench.submit("a").await;
    let key = bench.claim(1).await.one().key;
    bench.advance(60);
    assert_ne!(bench.settle(rescue(key)).await, Settled::Stale);
    let before = bench.history(task).await;
    assert_eq!(bench.settle(rescue(key)).await, Settled::Stale);
    assert_eq!(bench.history(task).await, before);
}

pub(crate) async fn a_rescue_may_end_an_attempt_in_any_way(bench: &Bench) {
    let task = bench.submit("a, b, c").await;
    let keys: Vec<_> = bench.claim(9).await.all().iter().map(|lease| lease.key).collect();
    bench.advance(60);
    let verdicts = [
        Verdict::Complete { results: json!("found done") },
        Verdict::Fail { failure: failure() },
        Verdict::Snooze { when: When::After(Duration::from_secs(7)) },
    ];
    let settlements = keys.into_iter().zip(verdicts);
    let settlements = settlements.map(|(key, verdict)| Settlement { key, guard: Guard::Expired, verdict });
    bench.settle_all(settlements.collect()).await;
    assert_eq!(bench.picture(task).await, "in_progress: a complete, b error#1, c pending#1(in 7 s)");
    let expired =
        bench.transitions(task).await.iter().filter(|t| t.cause.as_str() == "lease_expired").count();
    assert_eq!(expired, 3);
}
