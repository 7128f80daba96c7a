//! A bench for the engine: a store in memory, a clock by hand, and a worker that does as it is told.

#![allow(clippy::allow_attributes, dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod faulty;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tasker_core::{
    HandlerName, ManualClock, QueueName, TaskId, TaskTemplate, TemplateRequest, Timestamp, WorkerId,
};
use tasker_engine::{Engine, EngineSettings, TaskRequest};
use tasker_store::memory::MemoryStore;
use tasker_store::{ClaimRequest, Lease, SettleRequest, Settlement, Store, WhenTaken, WorkerRecord};

pub(crate) const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) worker: WorkerId,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
        let settings = EngineSettings { clock: clock.clone(), seed: Some(1), ..EngineSettings::default() };
        let engine = Engine::new(Arc::clone(&store), settings);
        Self { engine, store, clock, worker: WorkerId::new(START, 1) }
    }

    pub(crate) async fn register(&self, definition: Value) -> Arc<TaskTemplate> {
        let template = Arc::new(TaskTemplate::from_definition(&definition).expect("a valid template"));
        self.engine.register(Arc::clone(&template), WhenTaken::Refuse).await.expect("a free key");
        template
    }

    pub(crate) async fn submit(&self, request: &str, context: Value) -> TaskId {
        let template: TemplateRequest = request.parse().expect("a request");
        self.engine.submit(TaskRequest::new(template, context)).await.expect("accepted").id()
    }

    pub(crate) async fn claim(&self) -> Vec<Lease> {
        self.claim_some(10).await
    }

    pub(crate) async fn claim_some(&self, capacity: u32) -> Vec<Lease> {
        let request = ClaimRequest {
            worker: self.worker,
            queues: [QueueName::default()].into(),
            handlers: [handler("work")].into(),
            capacity,
            lease: Duration::from_secs(30),
            turn: 0,
            task: None,
        };
        self.store.claim(request).await.expect("memory does not fail")
    }

    pub(crate) async fn settle(&self, settlement: Settlement) {
        let request = SettleRequest { settlements: vec![settlement], claim: None };
        self.store.settle(request).await.expect("memory does not fail");
    }

    pub(crate) async fn enlist(&self) {
        self.store.beat(self.record()).await.expect("memory does not fail");
    }

    /// The worker, as it offers itself to all tasks.
    pub(crate) fn record(&self) -> WorkerRecord {
        WorkerRecord {
            id: self.worker,
            name: "host:1".to_owned(),
            queues: vec![QueueName::default()],
            handlers: vec![handler("work")],
            concurrency: 4,
            started_at: START,
            seen_at: START,
            draining: false,
        }
    }
}

pub(crate) fn handler(name: &str) -> HandlerName {
    name.parse().expect("a handler name")
}

/// Two steps, one after the other.
pub(crate) fn pair(version: &str) -> Value {
    json!({
        "name": "pair",
        "version": version,
        "step_templates": [
            { "name": "a", "handler_class": "work" },
            { "name": "b", "handler_class": "work", "depends_on_step": "a" },
        ],
    })
}
