//! Many callers at once on one store.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tasker_core::{LeaseKey, State, TaskId};
use tokio::task::JoinSet;

use crate::command::Target;
use crate::conformance::bench::{Bench, LEASE, cancellation, failure, worker};
use crate::submit::NewTask;
use crate::traits::Store;
use crate::work::{ClaimRequest, Guard, SettleRequest, Settled, Settlement, Verdict};

async fn tasks(bench: &Bench, text: &str, count: usize) -> Vec<TaskId> {
    let plan = bench.draft_of(text).await.plan;
    let drafts: Vec<_> = (0..count).map(|_| bench.draft(plan)).collect();
    let ids = drafts.iter().map(|draft| draft.id).collect();
    bench.try_submit(drafts).await.expect("made");
    ids
}

/// Claims and completes until nothing is claimable or held any more; gives what was claimed.
async fn work_off(store: Arc<dyn Store>, mut claim: ClaimRequest) -> Vec<LeaseKey> {
    let mut made = Vec::new();
    loop {
        let mut leases = store.claim(claim.clone()).await.expect("the store takes a claim");
        while !leases.is_empty() {
            made.extend(leases.iter().map(|lease| lease.key));
            let settlements: Vec<_> = leases.into_iter().map(|lease| lease.complete(json!(1))).collect();
            let count = settlements.len();
            let request = SettleRequest { settlements, claim: Some(claim.clone()) };
            let reply = store.settle(request).await.expect("the store takes settlements");
            assert_eq!(reply.settled.iter().filter(|settled| **settled != Settled::Stale).count(), count);
            leases = reply.leases;
        }
        let deadlines = store.deadlines().await.expect("the store reads deadlines");
        let lanes = store.lanes().await.expect("the store reads lanes");
        if deadlines.next_expiry.is_none() && lanes.iter().all(|lane| lane.oldest_ready_at.is_none()) {
            return made;
        }
        claim.turn += 1;
        tokio::task::yield_now().await;
    }
}

/// W10.
pub(crate) async fn many_workers_share_the_work_and_none_is_done_twice(bench: &Bench) {
    let ids = tasks(bench, "a -> b, c -> d; e{priority=1 queue=other}", 40).await;
    let mut workers = JoinSet::new();
    for number in 0..12_u32 {
        let claim = ClaimRequest { worker: worker(number.into()), ..bench.ask(1 + number % 4).await };
        workers.spawn(work_off(Arc::clone(&bench.store), claim));
    }
    let made: Vec<LeaseKey> = workers.join_all().await.into_iter().flatten().collect();
    let distinct: HashSet<_> = made.iter().copied().collect();
    assert_eq!((made.len(), distinct.len()), (200, 200));
    for task in ids {
        assert_eq!(bench.task(task).await.state, State::Complete);
    }
}

/// The join must be freed exactly once, whichever of its parents comes last.
pub(crate) async fn parents_settled_by_many_callers_at_once_free_their_child(bench: &Bench) {
    let task = bench.submit("a, b, c, d, e, f, g, h -> join").await;
    let mut callers = JoinSet::new();
    for lease in bench.claim(8).await.all() {
        let store = Arc::clone(&bench.store);
        let request = SettleRequest { settlements: vec![lease.complete(Value::Null)], claim: None };
        callers.spawn(async move { store.settle(request).await.expect("settled").settled });
    }
    let settled = callers.join_all().await.concat();
    assert!(settled.iter().all(|settled| *settled != Settled::Stale));
    assert_eq!(bench.claim(9).await.names(), "join");
    assert_eq!(bench.step(task, "join").await.unmet, 0);
}

pub(crate) async fn the_verdict_on_a_task_is_told_to_one_caller(bench: &Bench) {
    let task = bench.submit("a, b, c, d, e, f, g, h").await;
    let mut callers = JoinSet::new();
    for lease in bench.claim(8).await.all() {
        let store = Arc::clone(&bench.store);
        let request = SettleRequest { settlements: vec![lease.complete(Value::Null)], claim: None };
        callers.spawn(async move { store.settle(request).await.expect("settled").verdicts });
    }
    assert_eq!(callers.join_all().await.concat(), [(task, State::Complete)]);
}

/// The one who has the right to settle is heard, whoever else tries at the same time.
pub(crate) async fn of_many_who_settle_one_attempt_only_the_holder_counts(bench: &Bench) {
    for round in 0..20 {
        let task = bench.submit("a").await;
        let lease = bench.claim_by(worker(1), 1).await.one();
        let mut callers = JoinSet::new();
        for number in (0..8).map(|number| (number + round) % 8) {
            let guard = if number == 0 { Guard::Expired } else { Guard::Held { worker: worker(number) } };
            let verdict = Verdict::Complete { results: json!(number) };
            let store = Arc::clone(&bench.store);
            let settlements = vec![Settlement { key: lease.key, guard, verdict }];
            let request = SettleRequest { settlements, claim: None };
            callers.spawn(async move { (number, store.settle(request).await.expect("settled").settled[0]) });
        }
        let counted: Vec<_> =
            callers.join_all().await.into_iter().filter(|(_, settled)| *settled != Settled::Stale).collect();
        assert_eq!(counted.len(), 1);
        assert_eq!(counted[0].0, 1, "only worker 1 holds the lease");
        assert_eq!(bench.step(task, "a").await.results, Some(json!(1)));
    }
}

pub(crate) async fn a_holder_and_a_rescuer_at_once_end_an_attempt_once(bench: &Bench) {
    for _ in 0..20 {
        let task = bench.submit("a").await;
        let lease = bench.claim(1).await.one();
        bench.advance(LEASE.as_secs());
        let rescue = Settlement {
            key: lease.key,
            guard: Guard::Expired,
            verdict: Verdict::Fail { failure: failure() },
        };
        let mut callers = JoinSet::new();
        for settlement in [lease.complete(json!(1)), rescue] {
            let store = Arc::clone(&bench.store);
            let request = SettleRequest { settlements: vec![settlement], claim: None };
            callers.spawn(async move { store.settle(request).await.expect("settled").settled[0] });
        }
        let settled = callers.join_all().await;
        assert_eq!(settled.iter().filter(|settled| **settled == Settled::Stale).count(), 1);
        assert_eq!(bench.transitions(task).await.len(), 5);
    }
}

pub(crate) async fn a_cancellation_amid_the_work_leaves_nothing_open(bench: &Bench) {
    let ids = tasks(bench, "a -> b, c, d -> e", 12).await;
    let mut callers = JoinSet::new();
    for number in 0..4 {
        let store = Arc::clone(&bench.store);
        let claim = ClaimRequest { worker: worker(number), ..bench.ask(3).await };
        callers.spawn(async move {
            for _ in 0..30 {
                let leases = store.claim(claim.clone()).await.expect("the store takes a claim");
                let settlements = leases.into_iter().map(|lease| lease.complete(json!(1))).collect();
                let request = SettleRequest { settlements, claim: None };
                store.settle(request).await.expect("the store takes settlements");
            }
        });
    }
    for task in &ids {
        let (store, target) = (Arc::clone(&bench.store), Target::Task(*task));
        callers.spawn(async move {
            store.command(cancellation(target)).await.expect("the store takes a command").expect("cancelled");
        });
    }
    callers.join_all().await;
    for task in ids {
        let record = bench.task(task).await;
        assert_eq!((record.state, record.unfinished, record.active), (State::Cancelled, 0, 0));
    }
}

pub(crate) async fn submissions_of_many_callers_are_not_mixed_up(bench: &Bench) {
    let plan = bench.draft_of("a").await.plan;
    let mut callers = JoinSet::new();
    for number in 0..24_usize {
        let store = Arc::clone(&bench.store);
        let drafts: Vec<_> = (0..=number % 5)
            .map(|index| NewTask { context: json!([number, index]), ..bench.draft(plan) })
            .collect();
        callers.spawn(async move {
            let ids: Vec<_> = drafts.iter().map(|draft| draft.id).collect();
            let made = store.submit(drafts).await.expect("the store takes a submission").expect("made");
            assert_eq!(made.iter().map(|made| made.id()).collect::<Vec<_>>(), ids);
            for (index, id) in ids.into_iter().enumerate() {
                let task =
                    store.task(id).await.expect("the store reads a task").expect("what was made is there");
                assert_eq!(task.context, json!([number, index]));
            }
        });
    }
    callers.join_all().await;
    assert_eq!(bench.all_tasks().await.len(), 70);
}

/// Whoever reads the feed while others write sees everything, in order, once.
pub(crate) async fn a_reader_of_the_feed_misses_nothing_that_is_written_meanwhile(bench: &Bench) {
    tasks(bench, "a -> b -> c", 30).await;
    let mut writers = JoinSet::new();
    for number in 0..6 {
        let claim = ClaimRequest { worker: worker(number), ..bench.ask(2).await };
        writers.spawn(work_off(Arc::clone(&bench.store), claim));
    }
    let writers = tokio::spawn(writers.join_all());
    let (mut seen, mut cursor) = (Vec::new(), 0);
    loop {
        let is_over = writers.is_finished();
        let page = bench.store.feed(cursor, 7).await.expect("a page of the feed");
        if page.transitions.is_empty() && is_over {
            break;
        }
        cursor = page.next;
        seen.extend(page.transitions.into_iter().map(|transition| transition.seq));
        tokio::task::yield_now().await;
    }
    writers.await.expect("the writers are done");
    let whole = bench.store.feed(0, 10_000).await.expect("the whole feed").transitions;
    assert_eq!(seen, whole.iter().map(|transition| transition.seq).collect::<Vec<_>>());
    assert_eq!(whole.len(), 30 * (3 * 2 + 3));
}

pub(crate) async fn a_pause_amid_the_work_is_kept_by_all(bench: &Bench) {
    let ids = tasks(bench, "shop.flow: a -> b -> c", 10).await;
    let mut callers = JoinSet::new();
    for number in 0..4 {
        let store = Arc::clone(&bench.store);
        let claim = ClaimRequest { worker: worker(number), ..bench.ask(2).await };
        callers.spawn(async move { store.claim(claim).await.expect("the store takes a claim") });
    }
    bench.pause_namespace("shop").await.expect("paused");
    let leases = callers.join_all().await.into_iter().flatten();
    for lease in leases {
        bench.complete(lease).await;
    }
    assert!(bench.claim(100).await.is_empty());
    bench.resume_namespace("shop").await.expect("resumed");
    bench.complete_everything().await;
    for task in ids {
        assert_eq!(bench.task(task).await.state, State::Complete);
    }
}
