//! A task in memory whose steps a test moves by hand.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tasker_core::{
    Clock, Failure, FailureKind, HandlerName, ManualClock, ParseOptions, TaskId, TaskTemplate, Timestamp,
    When, WorkerId,
};
use tasker_engine::{Engine, EngineSettings, TaskRequest, TaskView};
use tasker_store::memory::MemoryStore;
use tasker_store::{ClaimRequest, Lease, SettleRequest, Settlement, Transition, WhenTaken};

/// A task in memory, and the clock it goes by.
pub(crate) struct Trial {
    pub(crate) engine: Engine,
    pub(crate) task: TaskId,
    clock: Arc<ManualClock>,
    template: Arc<TaskTemplate>,
}

/// When trials begin: 2026-11-23 12:00:00.
pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_795_435_200_000_000);

impl Trial {
    /// A task of a template, given as YAML.
    pub(crate) async fn of(template: &str) -> Self {
        let clock = Arc::new(ManualClock::new(NOON));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let settings = EngineSettings {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            seed: Some(7),
            ..EngineSettings::default()
        };
        let engine = Engine::new(store, settings);
        Self::on(engine, clock, template).await
    }

    async fn on(engine: Engine, clock: Arc<ManualClock>, template: &str) -> Self {
        let template =
            Arc::new(TaskTemplate::parse(template, &ParseOptions::default()).expect("a template").template);
        engine.register(Arc::clone(&template), WhenTaken::Refuse).await.expect("free");
        let request = TaskRequest::new(template.key().into(), json!({}));
        let task = engine.submit(request).await.expect("submitted").id();
        Self { engine, task, clock, template }
    }

    pub(crate) fn pass(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }

    /// A claim of steps like those of the template, of any task.
    pub(crate) fn claim_of(&self, capacity: u32) -> ClaimRequest {
        let steps = &self.template.steps;
        ClaimRequest {
            worker: WorkerId::new(NOON, 1),
            queues: steps.iter().map(|step| step.queue.clone()).collect(),
            handlers: steps.iter().map(|step| step.handler.clone()).chain(noop()).collect(),
            capacity,
            lease: Duration::from_secs(30),
            turn: 0,
            task: None,
        }
    }

    /// Claims every step that is ready, in the order of the template.
    pub(crate) async fn claim(&self) -> Vec<Lease> {
        let mut leases = self.engine.store().claim(self.claim_of(1000)).await.expect("claimed");
        leases.sort_by_key(|lease| lease.key.step);
        leases
    }

    pub(crate) async fn settle(&self, settlements: Vec<Settlement>) {
        let request = SettleRequest { settlements, claim: None };
        self.engine.store().settle(request).await.expect("settled");
    }

    /// Completes every step that is ready, after so many milliseconds.
    pub(crate) async fn complete(&self, millis: u64, results: &Value) {
        let leases = self.claim().await;
        self.pass(millis);
        self.settle(leases.into_iter().map(|lease| lease.complete(results.clone())).collect()).await;
    }

    /// Fails every step that is ready, after so many milliseconds; another attempt is due a second later.
    pub(crate) async fn fail(&self, millis: u64, message: &str) {
        let leases = self.claim().await;
        self.pass(millis);
        let failure =
            || Failure::new(FailureKind::Retryable, message).with_details(json!({"stderr": "one\ntwo"}));
        let settle = |lease: Lease| lease.retry(failure(), When::After(Duration::from_secs(1)));
        self.settle(leases.into_iter().map(settle).collect()).await;
    }

    pub(crate) async fn view(&self) -> TaskView {
        self.engine.task(self.task).await.expect("readable").expect("there")
    }

    pub(crate) async fn history(&self) -> Vec<Transition> {
        self.engine.history(self.task).await.expect("readable")
    }
}

fn noop() -> Option<HandlerName> {
    HandlerName::new("noop").ok()
}

/// A template of layers, each step of which depends on all of the layer before.
pub(crate) fn layers(sizes: &[usize]) -> String {
    let names = |level: usize| (0..sizes[level]).map(move |number| format!("s{level}_{number}"));
    let step = |level: usize, name: &str| {
        let parents: Vec<String> = level.checked_sub(1).into_iter().flat_map(names).collect();
        format!("  - {{name: {name}, handler_class: noop, depends_on_steps: [{}]}}", parents.join(", "))
    };
    let steps = (0..sizes.len()).flat_map(|level| names(level).map(move |name| step(level, &name)));
    format!("name: layers\nstep_templates:\n{}\n", steps.collect::<Vec<_>>().join("\n"))
}

/// Two extracts, a transform, a load.
pub(crate) const ETL: &str = "
name: etl
step_templates:
  - {name: extract_a, handler_class: command}
  - {name: extract_b, handler_class: command}
  - {name: transform, handler_class: transform, depends_on_steps: [extract_a, extract_b]}
  - {name: load, handler_class: command, depends_on_step: transform, retry: {limit: 2}}
";
