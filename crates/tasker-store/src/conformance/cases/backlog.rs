//! How much waits, how much is at work, and what should have been begun.

use std::time::Duration;

use tasker_core::{State, Timestamp};

use crate::conformance::bench::{Bench, LEASE, worker};
use crate::record::QueueDepth;

/// The lanes as text: `shop/run 2 ready, 1 running`.
async fn told(bench: &Bench) -> Vec<String> {
    let lanes = bench.store.lanes().await.expect("lanes");
    let told = lanes.iter().map(|lane| {
        let QueueDepth { namespace, handler, ready, running, .. } = lane;
        format!("{namespace}/{handler} {ready} ready, {running} running")
    });
    told.collect()
}

/// The only lane there is.
async fn lane(bench: &Bench) -> QueueDepth {
    let mut lanes = bench.store.lanes().await.expect("lanes");
    assert_eq!(lanes.len(), 1);
    lanes.remove(0)
}

/// How many tasks are late, as text: `bank 1, shop 2`.
async fn late(bench: &Bench, before: Timestamp) -> String {
    let late = bench.store.late(before).await.expect("the store counts late tasks");
    let told = late.iter().map(|(namespace, tasks)| format!("{namespace} {tasks}"));
    told.collect::<Vec<_>>().join(", ")
}

pub(crate) async fn a_lane_counts_what_is_ready_and_what_is_at_work(bench: &Bench) {
    let task = bench.submit("shop.flow: a, b, c -> d{handler=x}").await;
    assert_eq!(told(bench).await, ["shop/run 3 ready, 0 running", "shop/x 0 ready, 0 running"]);
    let mut hand = bench.claim(2).await;
    assert_eq!(told(bench).await, ["shop/run 1 ready, 2 running", "shop/x 0 ready, 0 running"]);
    bench.complete(hand.take("a")).await;
    bench.retry_in(hand.take("b"), 5).await;
    assert_eq!(told(bench).await[0], "shop/run 1 ready, 0 running", "what waits for its time is not ready");
    bench.advance(5);
    assert_eq!(told(bench).await[0], "shop/run 2 ready, 0 running");
    let lease = bench.claim(1).await.one();
    bench.pause(task).await.expect("paused");
    assert_eq!(told(bench).await[0], "shop/run 0 ready, 1 running", "what is held is not ready");
    bench.resume(task).await.expect("resumed");
    bench.complete(lease).await;
    bench.complete_ready().await;
    assert_eq!(told(bench).await, ["shop/run 0 ready, 0 running", "shop/x 1 ready, 0 running"]);
    bench.cancel(task).await.expect("cancelled");
    assert_eq!(told(bench).await[1], "shop/x 0 ready, 0 running");
}

pub(crate) async fn a_lane_of_a_paused_namespace_counts_what_waits_nevertheless(bench: &Bench) {
    bench.submit("shop.flow: a, b, c").await;
    let _lease = bench.claim(1).await.one();
    bench.pause_namespace("shop").await.expect("paused");
    assert_eq!(told(bench).await, ["shop/run 2 ready, 1 running"]);
    assert!(lane(bench).await.paused);
}

pub(crate) async fn a_lane_tells_since_when_its_oldest_attempt_is_at_work(bench: &Bench) {
    bench.submit("a, b").await;
    assert_eq!(lane(bench).await.oldest_running_at, None);
    let first = bench.claim(1).await.one();
    let begun = bench.now();
    bench.advance(3);
    let _second = bench.claim(1).await.one();
    assert_eq!(lane(bench).await.oldest_running_at, Some(begun));
    bench.renew(worker(1), &[first.key], 9 * LEASE).await;
    assert_eq!(lane(bench).await.oldest_running_at, Some(begun), "the order of the leases is another");
    bench.complete(first).await;
    assert_eq!(lane(bench).await.oldest_running_at, Some(begun.plus(Duration::from_secs(3))));
    bench.advance(LEASE.as_secs());
    assert_eq!(told(bench).await, ["default/run 0 ready, 1 running"], "a lease that ran out counts");
    bench.rescue().await;
    let lane = lane(bench).await;
    assert_eq!((lane.ready, lane.running, lane.oldest_running_at), (1, 0, None), "until the rescue");
}

pub(crate) async fn a_long_queue_is_counted_to_its_limit(bench: &Bench) {
    let names: Vec<_> = (0..2_000).map(|step| format!("s{step}")).collect();
    let plan = bench.draft_of(&names.join(", ")).await.plan;
    let mut counts = Vec::new();
    for _ in 0..6 {
        bench.create(bench.draft(plan)).await;
        counts.push(lane(bench).await.ready);
    }
    assert_eq!(counts, [2_000, 4_000, 6_000, 8_000, QueueDepth::COUNTED, QueueDepth::COUNTED]);
}

pub(crate) async fn tasks_that_nobody_has_begun_are_late(bench: &Bench) {
    let first = bench.submit("one: a -> b").await;
    assert_eq!(late(bench, bench.now()).await, "", "asked for at that time is not before it");
    bench.advance(10);
    let second = bench.submit("two: a").await;
    assert_eq!(late(bench, bench.now()).await, "default 1");
    assert_eq!(late(bench, bench.in_seconds(1)).await, "default 2");
    bench.claim(1).await.one();
    assert_eq!(bench.task(first).await.started_at, Some(bench.now()));
    assert_eq!(late(bench, bench.now()).await, "", "begun is not late, whatever waits in it");
    bench.cancel(second).await.expect("cancelled");
    assert_eq!(late(bench, bench.in_seconds(1)).await, "");
}

pub(crate) async fn late_tasks_are_counted_by_namespace(bench: &Bench) {
    for text in ["shop.one: a", "bank.flow: a", "Zoo.flow: a", "shop.two: a, b", "shop.one: a"] {
        bench.submit(text).await;
    }
    assert_eq!(late(bench, bench.in_seconds(1)).await, "Zoo 1, bank 1, shop 3");
}

pub(crate) async fn what_is_paused_is_not_late(bench: &Bench) {
    let task = bench.submit("shop.flow: a").await;
    bench.submit("shop.flow: a").await;
    bench.submit("bank.flow: a").await;
    let later = bench.in_seconds(1);
    bench.pause(task).await.expect("paused");
    assert_eq!(late(bench, later).await, "bank 1, shop 1");
    bench.pause_namespace("shop").await.expect("paused");
    assert_eq!(late(bench, later).await, "bank 1");
    bench.resume(task).await.expect("resumed");
    bench.resume_namespace("shop").await.expect("resumed");
    assert_eq!(late(bench, later).await, "bank 1, shop 2");
}

pub(crate) async fn a_task_may_be_late_at_any_time(bench: &Bench) {
    bench.submit("a").await;
    for (micros, expected) in [(i64::MIN, ""), (-1, ""), (0, ""), (i64::MAX, "default 1")] {
        assert_eq!(late(bench, Timestamp::from_micros(micros)).await, expected, "{micros}");
    }
}

pub(crate) async fn tasks_are_counted_by_state(bench: &Bench) {
    assert_eq!(counts(bench).await, [0, 0, 0, 0, 0, 0]);
    for _ in 0..2 {
        bench.submit("done: a").await;
    }
    bench.complete_everything().await;
    for _ in 0..2 {
        bench.submit("failed: a{once}").await;
        let lease = bench.claim(1).await.one();
        bench.fail(lease).await;
    }
    let resolved = bench.submit("resolved: a{once}").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.resolve(resolved).await.expect("resolved");
    let cancelled = bench.submit("cancelled: a").await;
    bench.cancel(cancelled).await.expect("cancelled");
    bench.submit("running: a").await;
    let _lease = bench.claim(1).await.one();
    for _ in 0..3 {
        bench.submit("waiting: a").await;
    }
    assert_eq!(
        counts(bench).await,
        [3, 1, 2, 2, 1, 1],
        "pending, in progress, complete, error, cancelled, resolved"
    );
}

async fn counts(bench: &Bench) -> Vec<u32> {
    let counts = bench.store.task_counts().await.expect("the store counts tasks");
    let states: Vec<_> = counts.iter().map(|count| count.state).collect();
    assert_eq!(states, State::ALL);
    counts.iter().map(|count| count.tasks).collect()
}
