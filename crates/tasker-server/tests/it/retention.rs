//! What a server removes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tasker_core::{ManualClock, TaskId, TaskTemplate, Timestamp};
use tasker_engine::{Engine, EngineSettings, TaskRequest};
use tasker_runtime::{AgentsSection, HttpSettings, Settings};
use tasker_server::Server;
use tasker_store::memory::MemoryStore;
use tasker_store::{Store, Target, WhenTaken};
use tokio_util::sync::CancellationToken;

const DAY: Duration = Duration::from_hours(24);

/// A store with a task that was cancelled forty days ago.
async fn begin() -> (Arc<dyn Store>, Engine, TaskId) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_790_000_000_000_000)));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let engine = Engine::new(Arc::clone(&store), EngineSettings::default());
    let template = json!({ "name": "old", "step_templates": [{ "name": "only", "handler_class": "noop" }] });
    let template = TaskTemplate::from_definition(&template).expect("a template");
    engine.register(template.into(), WhenTaken::Refuse).await.expect("registered");
    let request = TaskRequest::new("old".parse().expect("a name"), json!({}));
    let task = engine.submit(request).await.expect("submitted").id();
    engine.cancel(Target::Task(task), "ada", None).await.expect("allowed");
    clock.advance(40 * DAY);
    (store, engine, task)
}

/// Whether a server with these agents keeps that task for a day.
async fn is_kept(agents: AgentsSection) -> bool {
    let (store, engine, task) = begin().await;
    let http = HttpSettings { enabled: false, ..HttpSettings::default() };
    let settings = Settings { agents, http, ..Settings::default() };
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(Server::new(settings).on(store).run(shutdown.clone()));
    // sleep: the time is paused, and moves from timer to timer
    tokio::time::sleep(DAY).await;
    let found = engine.task(task).await.expect("memory does not fail");
    shutdown.cancel();
    server.await.expect("no panic").expect("no failure");
    found.is_some()
}

#[tokio::test(start_paused = true)]
async fn a_server_removes_what_is_older_than_its_settings_say() {
    assert!(!is_kept(AgentsSection::default()).await);
    assert!(is_kept(AgentsSection { retention_days: 60, ..AgentsSection::default() }).await);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_agents_removes_nothing() {
    assert!(is_kept(AgentsSection { enabled: false, ..AgentsSection::default() }).await);
}
