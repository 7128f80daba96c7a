//! A bench for subscribers: a store, tasks that run, and places that can be looked at.

#![allow(
    clippy::allow_attributes,
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test binary uses a part of it"
)]

pub(crate) mod places;
pub(crate) mod service;

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tasker_core::{Clock, Failure, FailureKind, SystemClock, TaskId, TaskTemplate, Timestamp, WorkerId};
use tasker_events::{Backend, Envelope, Event, Events, Routes, Sink};
use tasker_postgres::testing::TestDatabase;
use tasker_postgres::{PostgresOptions, PostgresStore};
use tasker_sqlite::{SqliteOptions, SqliteStore};
use tasker_store::memory::MemoryStore;
use tasker_store::{
    ClaimRequest, Guard, Lease, NewTask, Origin, PlanId, PutTemplate, SettleRequest, Settlement, Store,
    Verdict, WhenTaken,
};
use tasker_subscribers::{SubscriberReport, SubscriberSettings, Subscribers, Surroundings};

use places::Places;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);

/// What every complete task of the bench tells, in order.
pub(crate) const LIFE: [&str; 7] = [
    "task.initialize_requested",
    "task.start_requested",
    "step.execution_requested",
    "step.completed",
    "step.execution_requested",
    "step.completed",
    "task.completed",
];

/// Runs functions as tests, each in memory, on SQLite and on PostgreSQL: they are given a bench.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        on_every_store!(@ in_memory: $($name),*);
        on_every_store!(@ on_sqlite: $($name),*);
        on_every_store!(@ on_postgres: $($name),*);
    };
    (@ $store:ident: $($name:ident),*) => {
        mod $store {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Bench::$store().await).await;
                }
            )*
        }
    };
}
pub(crate) use on_every_store;

pub(crate) struct Bench {
    plan: PlanId,
    tasks: AtomicU64,
    clock: Arc<dyn Clock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) places: Arc<Places>,
    pub(crate) folder: tempfile::TempDir,
    /// What was told of subscribers.
    pub(crate) record: Arc<Record>,
    /// The database, if there is one: it goes away after all that uses it.
    _database: Box<dyn Any>,
}

/// Remembers what it is told.
#[derive(Default)]
pub(crate) struct Record(Mutex<Vec<(&'static str, Value)>>);

impl Record {
    pub(crate) fn told(&self) -> Vec<(&'static str, Value)> {
        self.0.lock().expect("nobody panicked").clone()
    }
}

impl Sink for Record {
    fn take(&self, event: &Event<'_>) {
        let payload = serde_json::to_value(event).expect("plain data");
        self.0.lock().expect("nobody panicked").push((event.id().name(), payload));
    }

    fn take_custom(&self, _: &Envelope) {}
}

impl Bench {
    pub(crate) async fn in_memory() -> Self {
        Self::by(Arc::new(SystemClock)).await
    }

    /// In memory, by a clock of the test's.
    pub(crate) async fn by(clock: Arc<dyn Clock>) -> Self {
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
        Self { clock, ..Self::over(store).await }
    }

    pub(crate) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(&folder.path().join("tasker.db").display().to_string()).await;
        Self { _database: Box::new(folder), ..Self::over(store).await }
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = TestDatabase::create().await;
        let store = open(database.url()).await;
        Self { _database: Box::new(database), ..Self::over(store).await }
    }

    pub(crate) async fn over(store: Arc<dyn Store>) -> Self {
        let pair = json!({
            "name": "pair",
            "version": "1.2.0",
            "step_templates": [
                { "name": "a", "handler_class": "work" },
                { "name": "b", "handler_class": "work", "depends_on_step": "a" },
            ],
        });
        let template = Arc::new(TaskTemplate::from_definition(&pair).expect("a valid template"));
        let put = PutTemplate { template, when_taken: WhenTaken::Refuse };
        let template = store.put_template(put).await.expect("it is open").expect("a free key");
        let plan = store.plan(template, 0).await.expect("it is open").expect("a template");
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            plan,
            tasks: AtomicU64::new(0),
            clock: Arc::new(SystemClock),
            places: Arc::new(Places::of(Arc::clone(&store) as Arc<_>)),
            store,
            folder,
            record: Arc::default(),
            _database: Box::new(()),
        }
    }

    /// Starts a process with one subscriber; `seed` tells processes apart.
    pub(crate) fn start(&self, settings: Value, seed: u64) -> Subscribers {
        Subscribers::start(vec![settings_of(settings)], &self.surroundings(seed)).expect("usable settings")
    }

    pub(crate) fn surroundings(&self, seed: u64) -> Surroundings {
        Surroundings {
            store: Arc::clone(&self.store),
            cursors: self.places.clone(),
            events: Events::builder(Routes::default()).sink(Backend::Metrics, self.record.clone()).build(),
            clock: Arc::clone(&self.clock),
            seed,
            environment: [("PATH", "/usr/bin:/bin"), ("API_TOKEN", "not-for-programs")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            base_dir: self.folder.path().to_owned(),
        }
    }

    pub(crate) async fn submit(&self) -> TaskId {
        let now = self.clock.now();
        let id = TaskId::new(now, u128::from(self.tasks.fetch_add(1, Ordering::Relaxed)) << 20);
        let task = NewTask {
            id,
            plan: self.plan,
            context: json!({}),
            initiator: "ada".to_owned(),
            source_system: "bench".to_owned(),
            reason: String::new(),
            tags: Vec::new(),
            bypass_steps: Vec::new(),
            requested_at: now,
            identity: None,
            origin: Origin { correlation_id: Some("request-7".to_owned()), traceparent: None },
        };
        self.store.submit(vec![task]).await.expect("it is open").expect("accepted");
        id
    }

    /// Runs a task to its end.
    pub(crate) async fn run(&self) -> TaskId {
        let task = self.submit().await;
        for _ in 0..2 {
            let lease = self.claim(task).await;
            self.settle(lease.complete(Value::Null)).await;
        }
        task
    }

    /// Runs a task into an error.
    pub(crate) async fn fail(&self) -> TaskId {
        let task = self.submit().await;
        let lease = self.claim(task).await;
        let failure = Failure::new(FailureKind::Permanent, "out of stock").with_code("HTTP_404");
        self.settle(lease.fail(failure)).await;
        task
    }

    /// Runs a task whose worker goes away at once.
    pub(crate) async fn lose(&self) -> TaskId {
        let task = self.submit().await;
        let lease = self.claim_for(task, Duration::ZERO).await;
        let failure = Failure::new(FailureKind::LeaseExpired, "its worker went away");
        self.settle(Settlement { key: lease.key, guard: Guard::Expired, verdict: Verdict::Fail { failure } })
            .await;
        task
    }

    pub(crate) async fn claim(&self, task: TaskId) -> Lease {
        self.claim_for(task, Duration::from_secs(30)).await
    }

    async fn claim_for(&self, task: TaskId, lease: Duration) -> Lease {
        let request = ClaimRequest {
            worker: WorkerId::new(Timestamp::from_micros(1_790_000_000_000_000), 1),
            queues: ["default".parse().expect("a name")].into(),
            handlers: ["work".parse().expect("a name")].into(),
            capacity: 1,
            lease,
            turn: 0,
            task: Some(task),
        };
        self.store.claim(request).await.expect("it is open").remove(0)
    }

    pub(crate) async fn settle(&self, settlement: Settlement) {
        let request = SettleRequest { settlements: vec![settlement], claim: None };
        self.store.settle(request).await.expect("it is open");
    }

    /// Waits until everything of the feed is taken.
    pub(crate) async fn caught_up(&self) {
        let end = self.store.feed_end().await.expect("it is open");
        self.places.until(|places| places.position() >= Some(end)).await;
    }

    /// The lines of a file in the bench's folder, as JSON.
    pub(crate) fn lines(&self, file: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join(file)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("whole lines of JSON")).collect()
    }
}

/// The store at the URL of a PostgreSQL, or in a file of SQLite.
pub(crate) async fn open(place: &str) -> Arc<dyn Store> {
    if place.starts_with("postgres://") {
        let options = PostgresOptions { acquire_timeout: PATIENCE, ..PostgresOptions::default() };
        Arc::new(PostgresStore::connect(place, options).await.expect("it answers"))
    } else {
        Arc::new(SqliteStore::open(place, SqliteOptions::default()).await.expect("it opens"))
    }
}

pub(crate) fn settings_of(settings: Value) -> SubscriberSettings {
    serde_json::from_value(settings).expect("valid settings")
}

pub(crate) fn report(subscribers: &Subscribers) -> SubscriberReport {
    subscribers.counts().remove(0)
}

/// The types of the events of one task, in the order given.
pub(crate) fn types_of(events: &[Value], task: TaskId) -> Vec<String> {
    let own = events.iter().filter(|event| event["data"]["task_id"] == task.to_string().as_str());
    own.map(|event| event["type"].as_str().expect("a text").to_owned()).collect()
}

/// The ids of events, in the order given.
pub(crate) fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["id"].as_str().expect("a text")).collect()
}

/// Checks that every event of a task is there, and came for the first time when all before it had come.
pub(crate) fn assert_complete_and_in_order(events: &[Value], task: TaskId) {
    let own = types_of(events, task);
    let ids = events.iter().filter(|event| event["data"]["task_id"] == task.to_string().as_str());
    let mut seen: Vec<(&Value, String)> = Vec::new();
    for (event, kind) in ids.zip(own) {
        if !seen.iter().any(|(id, _)| **id == event["id"]) {
            seen.push((&event["id"], kind));
        }
    }
    let first_times: Vec<&str> = seen.iter().map(|(_, kind)| kind.as_str()).collect();
    assert_eq!(first_times, LIFE);
}
