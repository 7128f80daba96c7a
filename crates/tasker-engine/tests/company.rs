//! The agents of a process in company: they go on whatever happens, and ask the store for little.

mod support;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use support::faulty::{Fault, FaultyStore};
use support::{Bench, pair};
use tasker_core::{Backoff, Failure, FailureKind, State, TaskId, When};
use tasker_engine::{AgentSettings, Agents};
use tasker_store::Store;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_mins(1);

async fn begin() -> (Bench, Arc<FaultyStore>, TaskId) {
    let bench = Bench::new();
    bench.register(pair("1.0.0")).await;
    let task = bench.submit("pair", json!({})).await;
    let store = FaultyStore::over(&bench.store);
    (bench, store, task)
}

fn start(store: &Arc<FaultyStore>) -> Agents {
    Agents::start(&(Arc::clone(store) as Arc<dyn Store>), &AgentSettings::default())
}

/// Lets time pass, with all that falls due in it.
async fn pass(duration: Duration) {
    // sleep: the time is paused, and moves from timer to timer
    tokio::time::sleep(duration).await;
}

/// Waits until the first step of a task has failed, and says when it may be claimed again.
async fn rescued(bench: &Bench, task: TaskId) -> Option<Duration> {
    let mut feed = bench.store.wake().feed();
    loop {
        feed.mark_unchanged();
        let step = bench.store.steps(task).await.expect("memory does not fail").remove(0);
        if step.state == State::Error {
            return step.ready_at.map(|time| time.since(step.ended_at.expect("it ended")));
        }
        tokio::time::timeout(10 * MINUTE, feed.changed()).await.expect("in time").expect("the store lives");
    }
}

/// Lets the first step wait for an hour.
async fn wait_an_hour(bench: &Bench) {
    let lease = bench.claim().await.remove(0);
    let failure = Failure::new(FailureKind::Retryable, "not yet");
    bench.settle(lease.retry(failure, When::After(60 * MINUTE))).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_panics_goes_on_after_a_pause() {
    let (bench, store, task) = begin().await;
    bench.claim().await;
    bench.clock.advance(MINUTE);
    store.faults.lock().expect("not poisoned").extend([Fault::Panics, Fault::Panics, Fault::Panics]);
    let agents = start(&store);
    assert!(rescued(&bench, task).await.is_some());
    assert_eq!(agents.panics(), 3);
    agents.stop().await;
}

#[tokio::test(start_paused = true)]
async fn agents_that_pause_after_a_panic_stop_at_once() {
    let (_bench, store, _) = begin().await;
    store.faults.lock().expect("not poisoned").extend([Fault::Panics; 1_000]);
    let agents = start(&store);
    pass(10 * MINUTE).await;
    let (panics, begun) = (agents.panics(), Instant::now());
    assert!((20..=32).contains(&panics), "{panics} panics in ten minutes: the pauses grow");
    agents.stop().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_put_forward_makes_no_step_late_by_more_than_a_minute() {
    let (bench, store, _) = begin().await;
    let agents = start(&store);
    wait_an_hour(&bench).await;
    pass(Duration::from_secs(10)).await;
    let mut ready = bench.store.wake().ready();
    ready.mark_unchanged();
    bench.clock.advance(61 * MINUTE);
    let told = tokio::time::timeout(MINUTE + Duration::from_secs(1), ready.changed()).await;
    told.expect("in time").expect("the store lives");
    agents.stop().await;
}

#[tokio::test(start_paused = true)]
async fn idle_agents_ask_the_store_once_a_minute_and_twice_if_something_waits() {
    let (bench, store, _) = begin().await;
    let agents = start(&store);
    pass(MINUTE).await;
    let so_far = || store.looks.swap(0, Ordering::SeqCst);
    so_far();
    pass(10 * MINUTE).await;
    let idle = so_far();
    assert!((9..=11).contains(&idle), "{idle} looks in ten minutes while nothing waits");
    wait_an_hour(&bench).await;
    pass(MINUTE).await;
    so_far();
    pass(10 * MINUTE).await;
    let waiting = so_far();
    assert!((18..=21).contains(&waiting), "{waiting} looks in ten minutes while a step waits");
    agents.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_rescued_waits_as_the_settings_of_the_engine_say() {
    let (bench, store, task) = begin().await;
    bench.claim().await;
    bench.clock.advance(MINUTE);
    let backoff = Backoff { table_seconds: vec![77], jitter: false, ..Backoff::default() };
    let store = store as Arc<dyn Store>;
    let agents = Agents::start(&store, &AgentSettings { backoff, ..AgentSettings::default() });
    assert_eq!(rescued(&bench, task).await, Some(Duration::from_secs(77)));
    agents.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_cannot_be_read_keeps_nothing_from_being_rescued() {
    let (bench, store, task) = begin().await;
    bench.claim().await;
    bench.clock.advance(MINUTE);
    store.has_odd_plans.store(true, Ordering::SeqCst);
    let agents = start(&store);
    assert!(rescued(&bench, task).await.is_some());
    agents.stop().await;
}

#[tokio::test(start_paused = true)]
async fn old_tasks_are_looked_for_soon_after_the_start() {
    let (_bench, store, _) = begin().await;
    let agents = start(&store);
    let prunings = || store.prunings.load(Ordering::SeqCst);
    pass(2 * MINUTE).await;
    assert_eq!(prunings(), 1);
    pass(60 * MINUTE).await;
    assert_eq!(prunings(), 2);
    agents.stop().await;
}

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_logged_with_its_cause() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (_bench, store, _) = begin().await;
    store.faults.lock().expect("not poisoned").extend([
        Fault::IsUnavailable,
        Fault::IsUnavailable,
        Fault::Panics,
    ]);
    let agents = start(&store);
    pass(MINUTE).await;
    agents.stop().await;
    let text = log.text();
    for part in ["failed to look at what is due", "failed to rescue what has run out"] {
        let line = text.lines().find(|line| line.contains(part)).unwrap_or_default();
        assert!(line.contains("the database is not available") && line.contains("the line is cut"), "{text}");
    }
    assert!(text.contains("ERROR") && text.contains("the double falls over"), "{text}");
}
