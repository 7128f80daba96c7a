//! The feed, and the hints that it has grown.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tasker_core::{StepId, Timestamp, When};
use tokio::sync::watch::Receiver;
use tokio::time::timeout;

use crate::conformance::bench::{Bench, LEASE, PATIENCE, failure, transition_line, worker};
use crate::feed::{FeedPage, Transition};
use crate::work::{ClaimRequest, SettleRequest};

async fn page(bench: &Bench, after: i64, limit: u32) -> FeedPage {
    bench.store.feed(after, limit).await.expect("a page of the feed")
}

async fn end(bench: &Bench) -> i64 {
    bench.store.feed_end().await.expect("the end of the feed")
}

/// The whole feed, read in pages of `limit`.
async fn read_all(bench: &Bench, limit: u32) -> Vec<Transition> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = page(bench, after, limit).await;
        if page.transitions.is_empty() {
            return all;
        }
        assert!(page.transitions.len() <= limit as usize);
        assert!(page.next > after);
        after = page.next;
        all.extend(page.transitions);
    }
}

pub(crate) async fn an_empty_feed_ends_where_it_begins(bench: &Bench) {
    let end = end(bench).await;
    let page = page(bench, end, 10).await;
    assert_eq!(page, FeedPage { transitions: vec![], next: end });
}

pub(crate) async fn the_feed_tells_the_history_of_every_task(bench: &Bench) {
    let one = bench.submit("one: a -> b").await;
    let two = bench.submit("two: c{once}").await;
    let mut hand = bench.claim(9).await;
    bench.fail(hand.take("c")).await;
    bench.complete(hand.take("a")).await;
    bench.complete_everything().await;
    let feed = read_all(bench, 1_000).await;
    for task in [one, two] {
        let told: Vec<_> = feed.iter().filter(|transition| transition.task == task).cloned().collect();
        assert_eq!(told, bench.transitions(task).await);
    }
    assert_eq!(feed.len(), bench.transitions(one).await.len() + bench.transitions(two).await.len());
    assert!(feed.windows(2).all(|pair| pair[0].seq < pair[1].seq), "in order");
}

pub(crate) async fn the_feed_is_the_same_in_pages_of_any_size(bench: &Bench) {
    bench.submit("one: a -> b; c").await;
    bench.submit("two: d, e").await;
    bench.complete_everything().await;
    let whole = read_all(bench, 1_000).await;
    assert_eq!(whole.len(), 16);
    for limit in [1, 2, 3, 7, 16, 17] {
        assert_eq!(read_all(bench, limit).await, whole, "pages of {limit}");
    }
}

pub(crate) async fn a_cursor_finds_only_what_came_after_it(bench: &Bench) {
    bench.submit("a").await;
    let cursor = end(bench).await;
    assert_eq!(page(bench, cursor, 9).await.transitions, []);
    bench.complete_everything().await;
    let page = page(bench, cursor, 9).await;
    let template = bench.template_of(page.transitions[0].task).await;
    let lines: Vec<_> = page.transitions.iter().map(|one| transition_line(one, &template)).collect();
    assert_eq!(
        lines,
        [
            "task pending → in_progress started",
            "a pending → in_progress claimed #1",
            "a in_progress → complete completed #1",
            "task in_progress → complete completed",
        ]
    );
    assert_eq!(page.next, end(bench).await);
}

pub(crate) async fn a_page_of_nothing_does_not_move_the_cursor(bench: &Bench) {
    bench.submit("a").await;
    let page = page(bench, 0, 0).await;
    assert_eq!(page, FeedPage { transitions: vec![], next: 0 });
    let beyond = end(bench).await + 1_000;
    let page = self::page(bench, beyond, 9).await;
    assert_eq!(page, FeedPage { transitions: vec![], next: beyond });
}

pub(crate) async fn each_transition_says_when(bench: &Bench) {
    let task = bench.submit("a").await;
    let mut expected = vec![bench.now()];
    bench.advance(2);
    let lease = bench.claim(1).await.one();
    expected.extend([bench.now(); 2]);
    bench.advance(3);
    bench.complete(lease).await;
    expected.extend([bench.now(); 2]);
    let times: Vec<_> = bench.transitions(task).await.iter().map(|transition| transition.at).collect();
    assert_eq!(times, expected);
}

/// What follows by itself bears no name; a claim bears the worker's, a command its giver's.
pub(crate) async fn each_transition_says_who(bench: &Bench) {
    let task = bench.submit("a -> b").await;
    let lease = bench.claim_by(worker(5), 1).await.one();
    bench.complete(lease).await;
    bench.cancel(task).await.expect("cancelled");
    let who: Vec<_> = bench.transitions(task).await.into_iter().map(|transition| transition.by).collect();
    let (worker, ann) = (Some(worker(5).to_string()), Some("ann".to_owned()));
    assert_eq!(who, [None, None, worker, None, ann.clone(), ann]);
}

pub(crate) async fn a_transition_reads_back_its_own_json(bench: &Bench) {
    let task = bench.submit("a{limit=1}").await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    bench.resolve(task).await.expect("resolved");
    for transition in bench.transitions(task).await {
        let text = serde_json::to_string(&transition).expect("a transition as JSON");
        assert_eq!(serde_json::from_str::<Transition>(&text).expect("its own output"), transition);
    }
}

async fn step_history(bench: &Bench, step: StepId, limit: u32) -> Vec<Transition> {
    bench.store.step_history(step, limit).await.expect("the history of a step")
}

pub(crate) async fn the_history_of_a_step_is_what_its_task_says_of_it(bench: &Bench) {
    let task = bench.submit("one: a, b").await;
    bench.submit("two: a").await;
    let mut hand = bench.claim_task(task).await;
    bench.retry_in(hand.take("b"), 0).await;
    bench.complete(hand.take("a")).await;
    bench.complete_ready().await;
    for ordinal in [0, 1] {
        let step = task.step(ordinal);
        let all = bench.transitions(task).await.into_iter();
        let expected: Vec<_> = all.filter(|transition| transition.step == Some(step)).collect();
        assert_eq!(step_history(bench, step, 100).await, expected);
        assert_eq!(step_history(bench, step, 1).await, expected[expected.len() - 1..], "the latest");
        assert_eq!(step_history(bench, step, 0).await, []);
    }
    assert_eq!(step_history(bench, task.step(2), 100).await, []);
    assert_eq!(step_history(bench, bench.task_id().step(0), 100).await, []);
}

async fn hinted(receiver: &mut Receiver<u64>, what: &str) {
    let changed = timeout(PATIENCE, receiver.changed()).await;
    changed.unwrap_or_else(|_| panic!("no hint after {what}")).expect("the store is open");
    receiver.mark_unchanged();
}

pub(crate) async fn whoever_waits_for_ready_steps_is_told(bench: &Bench) {
    let mut ready = bench.store.wake().ready();
    let task = bench.submit("shop.flow: a -> b").await;
    hinted(&mut ready, "a submission").await;
    let lease = bench.claim(1).await.one();
    ready.mark_unchanged();
    bench.complete(lease).await;
    hinted(&mut ready, "a completed step").await;
    let lease = bench.claim(1).await.one();
    ready.mark_unchanged();
    bench.fail(lease).await;
    ready.mark_unchanged();
    bench.retry(task).await.expect("retried");
    hinted(&mut ready, "a retry").await;
    bench.pause(task).await.expect("paused");
    ready.mark_unchanged();
    bench.resume(task).await.expect("resumed");
    hinted(&mut ready, "the end of a pause").await;
    bench.pause_namespace("shop").await.expect("paused");
    ready.mark_unchanged();
    bench.resume_namespace("shop").await.expect("resumed");
    hinted(&mut ready, "the end of a namespace's pause").await;
}

pub(crate) async fn whoever_waits_for_the_feed_is_told(bench: &Bench) {
    let mut feed = bench.store.wake().feed();
    let task = bench.submit("a, b").await;
    hinted(&mut feed, "a submission").await;
    let mut hand = bench.claim(2).await;
    hinted(&mut feed, "a claim").await;
    bench.complete(hand.take("a")).await;
    hinted(&mut feed, "a settlement").await;
    bench.advance(LEASE.as_secs());
    bench.rescue().await;
    hinted(&mut feed, "a rescue").await;
    bench.cancel(task).await.expect("cancelled");
    hinted(&mut feed, "a command").await;
}

pub(crate) async fn whoever_holds_leases_is_told_of_a_cancellation(bench: &Bench) {
    let mut revoked = bench.store.wake().revoked();
    let task = bench.submit("a -> b").await;
    let lease = bench.claim(1).await.one();
    bench.complete(lease).await;
    bench.claim(1).await.one();
    assert!(!revoked.has_changed().expect("the store is open"), "nothing was taken away");
    bench.cancel_step(task, "b").await.expect("cancelled");
    hinted(&mut revoked, "a step's cancellation").await;
    assert!(bench.cancel(task).await.is_ok());
    hinted(&mut revoked, "a task's cancellation").await;
}

/// The wish for one step of a handler.
async fn claim_of(bench: &Bench, handler: &str) -> ClaimRequest {
    let handlers = Arc::new([handler.parse().expect("a handler's name")]);
    ClaimRequest { handlers, ..bench.ask(1).await }
}

/// The claim in the same commit took a step of another task; the one made ready is left for others.
pub(crate) async fn whoever_waits_for_another_handler_is_told(bench: &Bench) {
    bench.submit("one: a{handler=x} -> b{handler=y}").await;
    bench.submit("two: c{handler=x}").await;
    let claim = claim_of(bench, "x").await;
    let lease = bench.claim_as(claim.clone()).await.one();
    let mut ready = bench.store.wake().ready();
    let settlements = vec![lease.complete(Value::Null)];
    let request = SettleRequest { settlements, claim: Some(claim) };
    let reply = bench.store.settle(request).await.expect("the store takes settlements");
    assert_eq!(bench.hand(reply.leases).await.names(), "c");
    hinted(&mut ready, "a step for another handler").await;
}

/// The claim in the same commit took a step of the same task that was ready before.
pub(crate) async fn whoever_waits_for_another_handler_of_the_same_task_is_told(bench: &Bench) {
    bench.submit("p{handler=x}, q{handler=x}; p -> c{handler=y}").await;
    let claim = claim_of(bench, "x").await;
    let lease = bench.claim_as(claim.clone()).await.one();
    let mut ready = bench.store.wake().ready();
    let settlements = vec![lease.complete(Value::Null)];
    let reply = bench.settle_request(SettleRequest { settlements, claim: Some(claim) }).await;
    assert_eq!(bench.hand(reply.leases).await.names(), "q");
    hinted(&mut ready, "a step for another handler").await;
}

pub(crate) async fn nobody_is_told_of_a_step_that_its_commit_claims(bench: &Bench) {
    bench.submit("a -> b -> c").await;
    let lease = bench.claim(1).await.one();
    let ready = bench.store.wake().ready();
    let (_, hand) = bench.settle_and_claim(vec![lease.complete(Value::Null)], 1).await;
    let again = hand.one().retry(failure(), When::After(Duration::ZERO));
    let (_, hand) = bench.settle_and_claim(vec![again], 1).await;
    let (_, hand) = bench.settle_and_claim(vec![hand.one().complete(Value::Null)], 1).await;
    assert_eq!(hand.names(), "c");
    assert!(!ready.has_changed().expect("the store is open"));
}

pub(crate) async fn whoever_waits_for_a_backoff_is_told_when_it_ends(bench: &Bench) {
    bench.submit("a, b").await;
    let mut hand = bench.claim(2).await;
    let mut due = bench.store.wake().next_due();
    let wait = async |due: &mut Receiver<Option<Timestamp>>, seconds: u64| {
        let (from, to) =
            (bench.in_seconds(seconds), bench.in_seconds(seconds).plus(Duration::from_millis(1)));
        let is_told = |next: &Option<Timestamp>| next.is_some_and(|next| next >= from && next <= to);
        let told = timeout(PATIENCE, due.wait_for(is_told)).await;
        told.expect("the time is told").expect("the store is open");
    };
    bench.retry_in(hand.take("a"), 7).await;
    wait(&mut due, 7).await;
    bench.snooze(hand.take("b"), 5).await;
    wait(&mut due, 5).await;
}
