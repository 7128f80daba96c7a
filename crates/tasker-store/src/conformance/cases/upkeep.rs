//! What the agents ask: deadlines, pruning, workers.

use std::time::Duration;

use tasker_core::{State, TaskId};

use crate::conformance::bench::{Bench, LEASE, worker};
use crate::record::{PruneReport, Retention};
use crate::traits::Deadlines;
use crate::worker::WorkerRecord;

const DAY: Duration = Duration::from_hours(24);
const AT_ONCE: Retention = Retention { ended: Duration::ZERO, failed: Duration::ZERO };

async fn deadlines(bench: &Bench) -> Deadlines {
    bench.store.deadlines().await.expect("the store reads deadlines")
}

async fn prune(bench: &Bench, retention: Retention, limit: u32) -> (u64, bool) {
    let PruneReport { tasks, more } = bench.store.prune(retention, limit).await.expect("a round of pruning");
    (tasks, more)
}

pub(crate) async fn an_empty_store_has_no_deadline(bench: &Bench) {
    let expected = Deadlines { now: bench.now(), next_ready_at: None, next_expiry: None };
    assert_eq!(deadlines(bench).await, expected);
    bench.advance(5);
    assert_eq!(deadlines(bench).await.now, bench.now());
}

pub(crate) async fn the_next_deadline_is_the_earliest_to_come(bench: &Bench) {
    bench.submit("a, b, c, d").await;
    assert_eq!(deadlines(bench).await.next_ready_at, None, "what is ready has no time to wait for");
    let mut hand = bench.claim(3).await;
    bench.retry_in(hand.take("a"), 20).await;
    bench.snooze(hand.take("b"), 10).await;
    let expiry = bench.in_seconds(60);
    for (next, seconds) in [(10, 10), (10, 9), (1, 1)] {
        assert_eq!(deadlines(bench).await.next_ready_at, Some(bench.in_seconds(next)));
        assert_eq!(deadlines(bench).await.next_expiry, Some(expiry));
        bench.advance(seconds);
    }
    assert_eq!(deadlines(bench).await.next_ready_at, None);
}

pub(crate) async fn a_lease_that_ran_out_stays_a_deadline_until_the_rescue(bench: &Bench) {
    bench.submit("a").await;
    let lease = bench.claim(1).await.one();
    bench.advance(100);
    assert_eq!(deadlines(bench).await.next_expiry, Some(lease.until));
    bench.rescue().await;
    assert_eq!(deadlines(bench).await.next_expiry, None);
}

pub(crate) async fn what_is_held_or_ended_is_no_deadline(bench: &Bench) {
    let task = bench.submit("a, b").await;
    let mut hand = bench.claim(2).await;
    bench.retry_in(hand.take("a"), 20).await;
    bench.pause(task).await.expect("paused");
    assert_eq!(deadlines(bench).await.next_ready_at, None);
    assert_eq!(deadlines(bench).await.next_expiry, Some(bench.in_seconds(60)), "what runs, runs on");
    bench.resume(task).await.expect("resumed");
    assert_eq!(deadlines(bench).await.next_ready_at, Some(bench.in_seconds(20)));
    bench.cancel(task).await.expect("cancelled");
    let expected = Deadlines { now: bench.now(), next_ready_at: None, next_expiry: None };
    assert_eq!(deadlines(bench).await, expected);
}

/// One task in each state, the ended ones ended now.
async fn one_in_each_state(bench: &Bench) -> [TaskId; 6] {
    let complete = bench.submit("complete: a").await;
    bench.complete_everything().await;
    let cancelled = bench.submit("cancelled: a").await;
    bench.cancel(cancelled).await.expect("cancelled");
    let failed = [bench.submit("error: a").await, bench.submit("resolved: a").await];
    for lease in bench.claim(9).await.all() {
        bench.fail(lease).await;
    }
    bench.resolve(failed[1]).await.expect("resolved");
    let running = bench.submit("running: a, b").await;
    let mut hand = bench.claim(2).await;
    bench.complete(hand.take("a")).await;
    bench.renew(worker(1), &[hand.take("b").key], 100 * DAY).await;
    let pending = bench.submit("pending: a").await;
    [complete, cancelled, failed[0], failed[1], running, pending]
}

pub(crate) async fn only_tasks_that_ended_are_pruned(bench: &Bench) {
    let [.., running, pending] = one_in_each_state(bench).await;
    bench.advance(3_600);
    assert_eq!(prune(bench, AT_ONCE, 100).await, (4, false));
    let left: Vec<_> = bench.all_tasks().await.iter().map(|task| task.id).collect();
    assert_eq!(left, [running, pending]);
    assert_eq!(prune(bench, AT_ONCE, 100).await, (0, false));
}

pub(crate) async fn failed_tasks_are_kept_for_a_time_of_their_own(bench: &Bench) {
    let [_, _, failed, ..] = one_in_each_state(bench).await;
    let retention = Retention { ended: DAY, failed: 7 * DAY };
    bench.clock.advance(DAY.saturating_sub(Duration::from_micros(1)));
    assert_eq!(prune(bench, retention, 100).await, (0, false));
    bench.clock.advance(Duration::from_micros(1));
    assert_eq!(prune(bench, retention, 100).await, (3, false));
    assert_eq!(bench.task(failed).await.state, State::Error);
    bench.clock.advance(6 * DAY);
    assert_eq!(prune(bench, retention, 100).await, (1, false));
    assert_eq!(bench.all_tasks().await.len(), 2);
}

pub(crate) async fn a_round_of_pruning_has_its_limit(bench: &Bench) {
    for _ in 0..5 {
        bench.submit("a -> b").await;
    }
    bench.complete_everything().await;
    assert_eq!(prune(bench, AT_ONCE, 0).await, (0, true));
    assert_eq!(prune(bench, AT_ONCE, 2).await, (2, true));
    assert_eq!(prune(bench, AT_ONCE, 3).await, (3, false), "nothing is left");
    assert_eq!(bench.all_tasks().await, []);
}

pub(crate) async fn of_a_pruned_task_nothing_is_left(bench: &Bench) {
    let task = bench.submit("one: a -> b").await;
    bench.complete_everything().await;
    let kept = bench.submit("two: a").await;
    let end = bench.store.feed_end().await.expect("the end of the feed");
    assert_eq!(prune(bench, AT_ONCE, 9).await, (1, false));
    assert_eq!(bench.store.task(task).await.expect("an answer"), None);
    assert_eq!(bench.steps(task).await, []);
    assert_eq!(bench.transitions(task).await, []);
    assert_eq!(bench.store.inputs(&[task.step(0)]).await.expect("an answer"), []);
    let feed = bench.store.feed(0, 100).await.expect("a page of the feed");
    assert!(feed.transitions.iter().all(|transition| transition.task == kept));
    assert_eq!(bench.store.feed_end().await.expect("the end of the feed"), end, "the feed does not shrink");
    let again = crate::NewTask { id: task, ..bench.draft_of("one: a -> b").await };
    bench.create(again).await;
    let feed = bench.store.feed(end, 100).await.expect("a page of the feed");
    assert_eq!(feed.transitions.len(), 1, "what comes later has a greater number");
}

pub(crate) async fn a_cursor_outlives_what_it_points_at(bench: &Bench) {
    bench.submit("one: a").await;
    bench.complete_everything().await;
    let page = bench.store.feed(0, 2).await.expect("a page of the feed");
    prune(bench, AT_ONCE, 9).await;
    let kept = bench.submit("two: a").await;
    let page = bench.store.feed(page.next, 100).await.expect("a page of the feed");
    assert_eq!(page.transitions.len(), 1);
    assert_eq!(page.transitions[0].task, kept);
}

fn record(bench: &Bench, number: u128) -> WorkerRecord {
    WorkerRecord {
        id: worker(number),
        name: format!("host-{number}:42"),
        queues: vec!["default".parse().expect("a queue"), "bulk".parse().expect("a queue")],
        handlers: vec!["Payments::ChargeCard".parse().expect("a handler")],
        concurrency: 8,
        started_at: bench.now(),
        seen_at: bench.now(),
        draining: false,
    }
}

async fn workers(bench: &Bench, seconds_ago: u64) -> Vec<WorkerRecord> {
    let since = bench.now().minus(Duration::from_secs(seconds_ago));
    bench.store.workers(since).await.expect("the store reads workers")
}

pub(crate) async fn a_worker_is_read_back_as_it_said(bench: &Bench) {
    assert_eq!(workers(bench, 1_000_000).await, []);
    let (one, two) = (record(bench, 1), record(bench, 2));
    for worker in [&two, &one] {
        bench.store.beat(worker.clone()).await.expect("the store takes a beat");
    }
    assert_eq!(workers(bench, 0).await, [one, two], "in the order of their ids");
}

pub(crate) async fn the_last_word_of_a_worker_counts(bench: &Bench) {
    let first = record(bench, 1);
    bench.store.beat(first.clone()).await.expect("the store takes a beat");
    bench.advance(10);
    let last = WorkerRecord { draining: true, concurrency: 2, queues: vec![], handlers: vec![], ..first };
    bench.store.beat(last.clone()).await.expect("the store takes a beat");
    let expected = WorkerRecord { seen_at: bench.now(), ..last };
    assert_eq!(workers(bench, 0).await, [expected], "seen by the store's clock, not by the worker's");
}

pub(crate) async fn a_worker_that_was_not_seen_is_not_told(bench: &Bench) {
    bench.store.beat(record(bench, 1)).await.expect("the store takes a beat");
    bench.advance(10);
    bench.store.beat(record(bench, 2)).await.expect("the store takes a beat");
    assert_eq!(workers(bench, 9).await.len(), 1);
    assert_eq!(workers(bench, 10).await.len(), 2);
}

pub(crate) async fn workers_that_were_not_seen_for_a_day_are_forgotten_some_with_each_beat(bench: &Bench) {
    let dead = u128::from(WorkerRecord::FORGOTTEN_AT_ONCE) + 1;
    for number in 1..=dead {
        bench.store.beat(record(bench, number)).await.expect("the store takes a beat");
    }
    let ever = 1_000_000;
    bench.clock.advance(WorkerRecord::FORGOTTEN_AFTER.saturating_sub(Duration::from_micros(1)));
    let living = record(bench, dead + 1);
    for left in [dead + 1, 2, 1] {
        bench.store.beat(living.clone()).await.expect("the store takes a beat");
        assert_eq!(workers(bench, ever).await.len() as u128, left);
        bench.clock.advance(Duration::from_micros(1));
    }
    assert_eq!(workers(bench, ever).await[0].id, living.id);
    bench.store.beat(record(bench, 1)).await.expect("one that comes back is there again");
    assert_eq!(workers(bench, ever).await.len(), 2);
}

pub(crate) async fn a_worker_that_left_is_gone_but_its_leases_hold(bench: &Bench) {
    let task = bench.submit("a").await;
    bench.store.beat(record(bench, 1)).await.expect("the store takes a beat");
    let lease = bench.claim_by(worker(1), 1).await.one();
    bench.store.leave(worker(1)).await.expect("the store takes a leave");
    bench.store.leave(worker(9)).await.expect("one that was never there may leave");
    assert_eq!(workers(bench, 1_000).await, []);
    assert_eq!(bench.step(task, "a").await.lease, Some((worker(1), bench.now().plus(LEASE))));
    bench.complete(lease).await;
    assert_eq!(bench.task(task).await.state, State::Complete);
}
