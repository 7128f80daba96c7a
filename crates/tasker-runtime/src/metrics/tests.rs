//! What is told while nothing runs, while a worker does, and while the database is away.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use tasker_core::{ManualClock, TaskTemplate, Timestamp, WorkerId};
use tasker_engine::{Engine, EngineSettings, TaskRequest};
use tasker_handler::{Registry as Handlers, Runner, RunnerSettings, Surroundings};
use tasker_metrics::text::{Format, encode};
use tasker_store::WhenTaken;
use tasker_store::memory::MemoryStore;
use tokio_util::sync::CancellationToken;

use super::*;

async fn lines(metrics: &Metrics) -> Vec<String> {
    let text = encode(&metrics.snapshot().await, Format::Prometheus);
    // What is true of any process says nothing here.
    let always = ["#", "process_", "tasker_events_dropped_total", "tasker_runtime_"];
    let is_of_interest = |line: &&str| always.iter().all(|beginning| !line.starts_with(beginning));
    text.lines().filter(is_of_interest).map(str::to_owned).collect()
}

fn version() -> String {
    format!("tasker_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))
}

#[tokio::test]
async fn a_process_without_a_store_tells_its_version_and_what_the_program_counts() {
    let metrics = Metrics::new();
    let mine = tasker_metrics::Description::new("mine_total", "My own.");
    metrics.registry().counter(mine).expect("a counter").with(&[]).add(3);
    assert_eq!(lines(&metrics).await, ["mine_total 3".to_owned(), version()]);
}

/// A store with two ready steps, one of a handler that nobody offers, made at 1 s; it is 5 s.
async fn worked() -> (Arc<dyn Store>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000)));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<_>));
    let engine = Engine::new(Arc::clone(&store), EngineSettings::default());
    let definition = json!({ "name": "pair", "step_templates": [
        { "name": "one", "handler_class": "noop" }, { "name": "two", "handler_class": "nobody" } ] });
    let template = TaskTemplate::from_definition(&definition).expect("a template");
    engine.register(template.into(), WhenTaken::Replace).await.expect("registered");
    let request = TaskRequest::new("pair".parse().expect("a request"), json!({}));
    engine.submit(request).await.expect("submitted");
    (store, clock)
}

#[tokio::test]
async fn what_waits_and_what_was_done_is_told() {
    let (store, clock) = worked().await;
    let metrics = Metrics::new();
    metrics.opened(Arc::clone(&store));
    clock.advance(Duration::from_secs(4));
    let waiting = |handler: &str, seconds: u32| {
        format!(
            "tasker_oldest_ready_step_age_seconds{{namespace=\"default\",queue=\"default\",handler=\"{handler}\"}} {seconds}"
        )
    };
    let oldest = counted(&metrics, &["tasker_oldest_ready_step_age_seconds"]).await;
    assert_eq!(oldest, [waiting("nobody", 4), waiting("noop", 4)]);
    let ready = counted(&metrics, &["tasker_ready_steps", "tasker_running_steps", "tasker_late_tasks"]).await;
    let of = |metric: &str, handler: &str, count: u32| {
        format!("{metric}{{namespace=\"default\",queue=\"default\",handler=\"{handler}\"}} {count}")
    };
    let levels = [("tasker_ready_steps", 1), ("tasker_running_steps", 0)];
    let levels = levels.map(|(metric, count)| ["nobody", "noop"].map(|handler| of(metric, handler, count)));
    assert_eq!(ready, levels.concat());

    let worker = RunnerSettings::new(WorkerId::new(Timestamp::default(), 7));
    let handlers = Handlers::new(Surroundings::default());
    let runner = Runner::new(Arc::clone(&store), handlers, worker, StdRng::seed_from_u64(1));
    metrics.works(runner.counters());
    let stop = CancellationToken::new();
    let mut verdicts = store.wake().feed();
    let running = tokio::spawn(runner.run(stop.clone()));
    while !lines(&metrics).await.contains(&"tasker_worker_attempts_total{outcome=\"completed\"} 1".to_owned())
    {
        verdicts.changed().await.expect("the store is there");
    }
    let after = lines(&metrics).await;
    assert!(after.contains(&waiting("nobody", 4)) && !after.contains(&waiting("noop", 4)), "{after:?}");
    assert!(after.contains(&"tasker_worker_slots{state=\"free\"} 100".to_owned()), "{after:?}");
    assert!(after.contains(&"tasker_store_up 1".to_owned()), "{after:?}");
    stop.cancel();
    running.await.expect("no panic");
}

/// The lines of families that begin with one of `names`, without those of time.
async fn counted(metrics: &Metrics, names: &[&str]) -> Vec<String> {
    let all = lines(metrics).await.into_iter();
    all.filter(|line| names.iter().any(|name| line.starts_with(name)) && !line.contains("_sum")).collect()
}

#[tokio::test]
async fn what_is_done_to_an_observed_store_is_counted_by_namespace_task_and_step() {
    let metrics = Metrics::new();
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000)));
    let store = metrics.observed(Arc::new(MemoryStore::new(clock)));
    let engine = Engine::new(Arc::clone(&store), EngineSettings::default());
    let definition = json!({ "name": "pair", "step_templates": [
        { "name": "one", "handler_class": "noop" }, { "name": "two", "handler_class": "noop" } ] });
    let template = TaskTemplate::from_definition(&definition).expect("a template");
    engine.register(template.into(), WhenTaken::Replace).await.expect("registered");
    let request = TaskRequest::new("pair".parse().expect("a request"), json!({}));
    let task = engine.submit(request).await.expect("submitted").id();
    let worker = RunnerSettings::new(WorkerId::new(Timestamp::default(), 7));
    let handlers = Handlers::new(Surroundings::default());
    let stop = CancellationToken::new();
    let runner = Runner::new(Arc::clone(&store), handlers, worker, StdRng::seed_from_u64(1));
    let running = tokio::spawn(runner.run(stop.clone()));
    engine.wait(task).await.expect("it ends");
    stop.cancel();
    running.await.expect("no panic");
    let step = |step: &str, outcome: &str| {
        format!(
            "tasker_step_attempts_total{{namespace=\"default\",task=\"pair\",step=\"{step}\",outcome=\"{outcome}\"}} 1"
        )
    };
    let task = |outcome: &str| {
        format!("tasker_tasks_total{{namespace=\"default\",task=\"pair\",outcome=\"{outcome}\"}} 1")
    };
    assert_eq!(
        counted(&metrics, &["tasker_step_attempts_total", "tasker_tasks_total"]).await,
        [
            step("one", "begun"),
            step("one", "completed"),
            step("two", "begun"),
            step("two", "completed"),
            task("completed"),
            task("started"),
            task("submitted"),
        ]
    );
    let events = counted(&metrics, &["tasker_events_total"]).await;
    for (event, count) in [("step.completed", 2), ("task.completed", 1), ("template.registered", 1)] {
        let line = format!("tasker_events_total{{event=\"{event}\"}} {count}");
        assert!(events.contains(&line), "{events:?}");
    }
    for histogram in ["tasker_step_attempt_duration_seconds_count", "tasker_step_queue_seconds_count"] {
        let series = counted(&metrics, &[histogram]).await;
        assert_eq!(series.len(), 2, "{series:?}");
    }
}

/// Remembers every event that goes to metrics, by name, with its payload.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<(String, serde_json::Value)>>);

impl Told {
    pub(crate) fn take(&self) -> Vec<(String, serde_json::Value)> {
        std::mem::take(&mut *self.0.lock().expect("nobody panicked"))
    }
}

impl tasker_events::Sink for Told {
    fn take(&self, event: &Event<'_>) {
        let payload = serde_json::to_value(event).expect("a JSON form");
        self.0.lock().expect("nobody panicked").push((event.id().to_string(), payload));
    }
}

/// Events, and what remembers them.
pub(crate) fn recorded() -> (Arc<Told>, Events) {
    let told = Arc::new(Told::default());
    let events = Events::builder(Routes::default());
    (Arc::clone(&told), events.sink(Backend::Metrics, told as Arc<_>).build())
}

#[tokio::test]
async fn every_scrape_is_told_with_how_much_it_gave() {
    let metrics = Metrics::new();
    let scraped = "tasker_events_total{event=\"metrics.scraped\"}";
    assert!(!lines(&metrics).await.iter().any(|line| line.starts_with(scraped)), "it tells of those before");
    assert!(lines(&metrics).await.contains(&format!("{scraped} 1")));
}

/// The trace id is that of the task, so that a slow bucket leads to a task.
#[tokio::test]
async fn where_traces_are_on_a_bucket_leads_to_one() {
    let settings = crate::settings::TracesSettings { enabled: true, ..Default::default() };
    let traces = Tracing::start(&settings).expect("fine").expect("enabled");
    let metrics = Metrics::with(Some(traces));
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000)));
    let store = metrics.observed(Arc::new(MemoryStore::new(clock)));
    let engine = Engine::new(Arc::clone(&store), EngineSettings::default());
    let definition = json!({ "name": "one", "step_templates": [{ "name": "a", "handler_class": "noop" }] });
    let template = TaskTemplate::from_definition(&definition).expect("a template");
    engine.register(template.into(), WhenTaken::Replace).await.expect("registered");
    let request = TaskRequest::new("one".parse().expect("a request"), json!({}));
    let task = engine.submit(request).await.expect("submitted").id();
    let worker = RunnerSettings::new(WorkerId::new(Timestamp::default(), 7));
    let runner = Runner::new(store, Handlers::new(Surroundings::default()), worker, StdRng::seed_from_u64(1));
    let stop = CancellationToken::new();
    let running = tokio::spawn(runner.run(stop.clone()));
    engine.wait(task).await.expect("it ends");
    stop.cancel();
    running.await.expect("no panic");
    let text = encode(&metrics.snapshot().await, Format::OpenMetrics);
    let exemplar = format!("# {{trace_id=\"{}\",span_id=\"", task.as_uuid().simple());
    let line = text.lines().find(|line| line.contains(&exemplar)).expect("an exemplar");
    assert!(line.starts_with("tasker_step_attempt_duration_seconds_bucket{namespace=\"default\""), "{line}");
    assert!(!encode(&metrics.snapshot().await, Format::Prometheus).contains("trace_id"));
}
