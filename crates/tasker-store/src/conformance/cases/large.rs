//! Large graphs and many tasks: nothing is cut off, nothing is counted wrong.

use std::fmt::Write;

use serde_json::{Value, json};
use tasker_core::State;

use crate::conformance::bench::Bench;
use crate::conformance::graph::graph;

/// The names of `count` steps: `p0, p1, p2`.
fn names(prefix: &str, count: usize) -> String {
    (0..count).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>().join(", ")
}

pub(crate) async fn a_thousand_steps_fan_out_and_in(bench: &Bench) {
    let middle = names("m", 1_000);
    let task = bench.submit(&format!("first -> {middle} -> last")).await;
    bench.complete_ready().await;
    let record = bench.task(task).await;
    assert_eq!((record.unfinished, record.active), (1_001, 1_000));
    let leases = bench.claim(2_000).await.all();
    assert_eq!(leases.len(), 1_000);
    let done = leases.into_iter().map(|lease| lease.complete(json!(1))).collect();
    let (reply, hand) = bench.settle_and_claim(done, 10).await;
    assert_eq!((reply.settled.len(), hand.names()), (1_000, "last".to_owned()));
    assert_eq!(bench.inputs(task, "last").await.1.len(), 1_000);
    bench.complete(hand.one()).await;
    assert_eq!(bench.task(task).await.state, State::Complete);
}

pub(crate) async fn a_thousand_steps_in_a_row_run_in_order(bench: &Bench) {
    let mut text = String::from("s0");
    for n in 1..1_000 {
        let _ = write!(text, " -> s{n}");
    }
    let task = bench.submit(&text).await;
    let request = bench.ask(1).await;
    let mut leases = bench.store.claim(request.clone()).await.expect("the store takes a claim");
    for ordinal in 0..1_000 {
        let lease = leases.pop().expect("the next step");
        assert_eq!((lease.key.step.ordinal(), leases.len()), (ordinal, 0));
        let settle = crate::SettleRequest {
            settlements: vec![lease.complete(Value::Null)],
            claim: Some(request.clone()),
        };
        leases = bench.store.settle(settle).await.expect("the store takes a settlement").leases;
    }
    assert_eq!(bench.task(task).await.state, State::Complete);
}

pub(crate) async fn a_task_of_many_steps_is_cancelled_as_a_whole(bench: &Bench) {
    let task = bench.submit(&format!("first -> {} -> last", names("m", 1_000))).await;
    bench.complete_ready().await;
    let leases = bench.claim(300).await.all();
    bench.pause(task).await.expect("paused");
    bench.resume(task).await.expect("resumed");
    assert_eq!(bench.cancel(task).await.expect("cancelled").steps, 1_001);
    let done = leases.into_iter().map(|lease| lease.complete(json!(1))).collect();
    let settled = bench.settle_all(done).await.settled;
    assert!(settled.len() == 300 && settled.iter().all(|settled| *settled == crate::Settled::Stale));
}

pub(crate) async fn many_tasks_are_submitted_and_run_together(bench: &Bench) {
    let plan = bench.plan_of(&graph("a -> b, c -> d"), 0).await;
    let drafts = (0..500).map(|_| bench.draft(plan)).collect();
    let submitted = bench.try_submit(drafts).await.expect("made");
    assert_eq!(submitted.len(), 500);
    let mut claimed = 0;
    loop {
        let leases = bench.store.claim(bench.ask(700).await).await.expect("the store takes a claim");
        if leases.is_empty() {
            break;
        }
        claimed += leases.len();
        bench.settle_all(leases.into_iter().map(|lease| lease.complete(Value::Null)).collect()).await;
    }
    assert_eq!(claimed, 2_000);
    let tasks = bench.all_tasks().await;
    assert!(tasks.len() == 500 && tasks.iter().all(|task| task.state == State::Complete));
}

/// Every step depends on every step of the layer before: 40 · 40 · 3 edges.
pub(crate) async fn dense_layers_are_counted_right(bench: &Bench) {
    let layers: Vec<_> = ["a", "b", "c", "d"].map(|prefix| names(prefix, 40)).into();
    let task = bench.submit(&layers.join(" -> ")).await;
    for layer in 0..4 {
        let leases = bench.claim(100).await.all();
        assert_eq!(leases.len(), 40, "layer {layer}");
        for lease in leases {
            bench.settle(lease.complete(Value::Null)).await;
        }
    }
    assert_eq!(bench.task(task).await.state, State::Complete);
}
