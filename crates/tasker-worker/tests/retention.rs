//! What a worker leaves alone.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tasker_core::{ManualClock, TaskTemplate, Timestamp};
use tasker_engine::{Engine, EngineSettings, TaskRequest};
use tasker_runtime::Settings;
use tasker_store::memory::MemoryStore;
use tasker_store::{Store, Target, WhenTaken};
use tasker_worker::Worker;
use tokio_util::sync::CancellationToken;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test(start_paused = true)]
async fn a_worker_removes_no_task_however_old() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_790_000_000_000_000)));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let engine = Engine::new(Arc::clone(&store), EngineSettings::default());
    let template =
        json!({ "name": "old", "step_templates": [{ "name": "only", "handler_class": "Old::Only" }] });
    let template = TaskTemplate::from_definition(&template).expect("a template");
    engine.register(template.into(), WhenTaken::Refuse).await.expect("registered");
    let request = TaskRequest::new("old".parse().expect("a name"), json!({}));
    let task = engine.submit(request).await.expect("submitted").id();
    engine.cancel(Target::Task(task), "ada", None).await.expect("allowed");
    clock.advance(1_000 * DAY);
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(Worker::new(Settings::default()).on(store).run(shutdown.clone()));
    // sleep: the time is paused; a pruner would have begun after a minute
    tokio::time::sleep(DAY).await;
    assert!(engine.task(task).await.expect("memory does not fail").is_some());
    shutdown.cancel();
    worker.await.expect("no panic").expect("no failure");
}
