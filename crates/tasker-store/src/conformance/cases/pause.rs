//! Holding tasks and namespaces.

use tasker_core::{Readiness, State, readiness};

use crate::command::{Command, CommandError, Done};
use crate::conformance::bench::{Bench, namespace};
use crate::record::Pause;

pub(crate) async fn no_step_of_a_paused_task_is_claimed(bench: &Bench) {
    let task = bench.submit("one: a, b").await;
    bench.submit("two: c").await;
    let answer = bench.pause(task).await;
    assert_eq!(bench.told(task, &answer).await, "2 steps, task pending");
    assert_eq!(bench.picture(task).await, "pending: a pending(held), b pending(held)");
    assert_eq!(bench.claim(9).await.names(), "c");
    let expected = Pause { by: "ann".to_owned(), at: bench.now(), reason: Some("lunch".to_owned()) };
    assert_eq!(bench.task(task).await.paused, Some(expected));
}

pub(crate) async fn a_resumed_task_goes_on_where_it_was(bench: &Bench) {
    let task = bench.submit("a, b -> c").await;
    bench.pause(task).await.expect("paused");
    bench.advance(60);
    let answer = bench.resume(task).await;
    assert_eq!(bench.told(task, &answer).await, "3 steps, task pending");
    let record = bench.task(task).await;
    assert_eq!((record.paused, record.active), (None, 2));
    assert_eq!(
        bench.step(task, "a").await.ready_at,
        Some(record.requested_at),
        "it has been ready all the time"
    );
    bench.complete_everything().await;
    assert_eq!(bench.task(task).await.state, State::Complete);
}

pub(crate) async fn what_runs_when_its_task_is_paused_runs_on(bench: &Bench) {
    let task = bench.submit("a -> b; c").await;
    let lease = bench.claim(1).await.one();
    let answer = bench.pause(task).await;
    assert_eq!(bench.told(task, &answer).await, "3 steps, task in_progress");
    bench.advance(1);
    bench.complete(lease).await;
    assert_eq!(bench.picture(task).await, "in_progress: a complete, b pending(held), c pending(held)");
    assert!(bench.claim(9).await.is_empty());
    let answer = bench.resume(task).await;
    assert_eq!(bench.told(task, &answer).await, "2 steps, task in_progress");
    assert_eq!(bench.claim(9).await.names(), "c, b", "what was ready first comes first");
}

pub(crate) async fn every_step_of_a_paused_task_is_held(bench: &Bench) {
    let task = bench.submit("a -> b; c").await;
    let lease = bench.claim(1).await.one();
    bench.complete(lease).await;
    bench.pause(task).await.expect("paused");
    assert!(bench.steps(task).await.iter().all(|step| step.held), "ended or not");
    bench.resume(task).await.expect("resumed");
    assert!(bench.steps(task).await.iter().all(|step| !step.held));
}

pub(crate) async fn a_retry_of_a_paused_task_waits_for_its_end(bench: &Bench) {
    let task = bench.submit("a{once}, b").await;
    let mut hand = bench.claim(2).await;
    bench.pause(task).await.expect("paused");
    bench.fail(hand.take("a")).await;
    bench.retry_in(hand.take("b"), 5).await;
    bench.retry(task).await.expect("retried");
    bench.advance(9);
    assert_eq!(bench.picture(task).await, "in_progress: a pending#1(held), b pending#1(held)");
    assert!(bench.claim(9).await.is_empty());
    bench.resume(task).await.expect("resumed");
    assert_eq!(bench.claim(9).await.names(), "a, b");
}

pub(crate) async fn a_paused_task_may_end(bench: &Bench) {
    let (good, bad) = (bench.submit("good: a").await, bench.submit("bad: b{once} -> c").await);
    let mut hand = bench.claim(2).await;
    for task in [good, bad] {
        bench.pause(task).await.expect("paused");
    }
    bench.complete(hand.take("a")).await;
    bench.fail(hand.take("b")).await;
    assert_eq!(bench.task(good).await.state, State::Complete);
    assert_eq!(bench.task(bad).await.state, State::Error);
    assert_eq!(bench.resume(good).await, Ok(Done { steps: 0, task_state: Some(State::Complete) }));
    assert_eq!(bench.task(good).await.paused, None);
}

pub(crate) async fn a_task_is_paused_once_and_resumed_once(bench: &Bench) {
    let task = bench.submit("a").await;
    let refused = bench.resume(task).await;
    assert_eq!(refused, Err(CommandError::Already(format!("task {task} is not paused"))));
    bench.pause(task).await.expect("paused");
    let paused = bench.task(task).await.paused;
    bench.advance(5);
    let refused = bench.pause(task).await;
    assert_eq!(refused, Err(CommandError::Already(format!("task {task} is already paused"))));
    assert_eq!(bench.task(task).await.paused, paused, "the first pause stands");
}

pub(crate) async fn what_does_not_exist_is_not_paused(bench: &Bench) {
    let unknown = bench.task_id();
    let expected = Err(CommandError::NotFound(format!("task {unknown}")));
    assert_eq!(bench.pause(unknown).await, expected);
    assert_eq!(bench.resume(unknown).await, expected);
}

pub(crate) async fn a_pause_leaves_no_trace_in_the_feed(bench: &Bench) {
    let task = bench.submit("a").await;
    let before = bench.history(task).await;
    bench.pause(task).await.expect("paused");
    bench.resume(task).await.expect("resumed");
    assert_eq!(bench.history(task).await, before);
}

pub(crate) async fn no_step_of_a_paused_namespace_is_claimed(bench: &Bench) {
    let task = bench.submit("shop.orders: a -> b").await;
    bench.submit("bank.orders: c").await;
    assert_eq!(bench.pause_namespace("shop").await, Ok(Done::default()));
    assert_eq!(bench.claim(9).await.names(), "c");
    let step = bench.step(task, "a").await;
    assert!(!step.held, "the steps know nothing of it");
    assert_eq!(readiness(&step.facts(), bench.now()), Readiness::Now);
    let later = bench.submit("shop.orders: a -> b").await;
    assert!(bench.claim(9).await.is_empty(), "tasks made meanwhile wait as well");
    assert_eq!(bench.resume_namespace("shop").await, Ok(Done::default()));
    assert_eq!(bench.claim(9).await.names(), "a, a");
    assert_eq!(bench.task(later).await.state, State::InProgress);
}

pub(crate) async fn a_pause_of_a_namespace_says_whose_it_is(bench: &Bench) {
    let shop = namespace("shop");
    let read = async || bench.store.namespace_pause(&shop).await.expect("an answer");
    assert_eq!(read().await, None);
    bench.pause_namespace("shop").await.expect("a namespace need not have anything in it");
    let pause = Pause { by: "ann".to_owned(), at: bench.now(), reason: Some("lunch".to_owned()) };
    assert_eq!(read().await, Some(pause.clone()));
    bench.advance(5);
    let refused = bench.pause_namespace("shop").await;
    assert_eq!(refused, Err(CommandError::Already("namespace shop is already paused".to_owned())));
    assert_eq!(read().await, Some(pause));
    bench.resume_namespace("shop").await.expect("resumed");
    assert_eq!(read().await, None);
    let refused = bench.resume_namespace("shop").await;
    assert_eq!(refused, Err(CommandError::Already("namespace shop is not paused".to_owned())));
    let command = Command::PauseNamespace { namespace: shop.clone(), by: "bob".to_owned(), reason: None };
    bench.order(command).await.expect("paused");
    assert_eq!(read().await, Some(Pause { by: "bob".to_owned(), at: bench.now(), reason: None }));
    assert_eq!(bench.store.namespace_pause(&namespace("Shop")).await.expect("an answer"), None);
}

pub(crate) async fn two_pauses_must_both_end(bench: &Bench) {
    let task = bench.submit("shop.orders: a").await;
    bench.pause(task).await.expect("paused");
    bench.pause_namespace("shop").await.expect("paused");
    bench.resume(task).await.expect("resumed");
    assert!(bench.claim(9).await.is_empty());
    bench.pause(task).await.expect("paused");
    bench.resume_namespace("shop").await.expect("resumed");
    assert!(bench.claim(9).await.is_empty());
    bench.resume(task).await.expect("resumed");
    assert_eq!(bench.claim(9).await.names(), "a");
}
