//! Every event of the catalog is made to happen, and told once, with its payload.

mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use support::faulty::{Fault, FaultyStore};
use support::{Bench, START, pair};
use tasker_core::{Failure, FailureKind, Namespace, OnDuplicate, When, WorkerId};
use tasker_engine::{Engine, EngineSettings, Observed, Rescuer, TaskRequest};
use tasker_events::{
    Backend, DeliveryError, Envelope, Event, EventId, Events, Interests, Routes, Sink, Subscriber,
    SubscriptionSettings,
};
use tasker_store::memory::MemoryStore;
use tasker_store::{Attempts, Command, Retention, Store, Target, WhenTaken, WorkerRecord};

/// Remembers every event with its payload.
#[derive(Default)]
struct Record(Mutex<Vec<(EventId, Value)>>);

impl Sink for Record {
    fn take(&self, event: &Event<'_>) {
        let payload = serde_json::to_value(event).expect("a JSON form");
        self.0.lock().expect("nobody panicked").push((event.id(), payload));
    }
}

impl Record {
    /// What was told since the last look, but for what the database was asked.
    fn take_all(&self) -> Vec<(EventId, Value)> {
        let told = std::mem::take(&mut *self.0.lock().expect("nobody panicked"));
        let is_call = |id: EventId| id == EventId::DatabaseQueryExecuted;
        told.into_iter().filter(|(id, _)| !is_call(*id)).collect()
    }

    fn names(&self) -> Vec<&'static str> {
        self.take_all().into_iter().map(|(id, _)| id.name()).collect()
    }

    fn one(&self, wanted: EventId) -> Value {
        let mut found: Vec<_> = self.take_all().into_iter().filter(|(id, _)| *id == wanted).collect();
        assert_eq!(found.len(), 1, "{wanted}: {found:?}");
        found.remove(0).1
    }
}

/// A bench whose store is observed; everything goes to the record.
struct Watched {
    bench: Bench,
    record: Arc<Record>,
    faulty: Arc<FaultyStore>,
    events: Events,
}

fn watched() -> Watched {
    let mut routes = Routes::nowhere();
    for event in EventId::ALL {
        routes.send(*event, &[Backend::Metrics]);
    }
    let record = Arc::new(Record::default());
    let events = Events::builder(routes).sink(Backend::Metrics, Arc::clone(&record) as Arc<_>).build();
    let clock = Arc::new(tasker_core::ManualClock::new(START));
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
    let faulty = FaultyStore::over(&memory);
    let store = Observed::over(Arc::clone(&faulty) as Arc<_>, events.clone(), clock.clone());
    let settings = EngineSettings { clock: clock.clone(), seed: Some(1), ..EngineSettings::default() };
    let engine = Engine::new(Arc::clone(&store), settings);
    let bench = Bench { engine, store, clock, worker: WorkerId::new(START, 1) };
    Watched { bench, record, faulty, events }
}

impl Watched {
    async fn with_pair() -> (Self, tasker_core::TaskId) {
        let watched = watched();
        watched.bench.register(pair("1.0.0")).await;
        let task = watched.bench.submit("pair", json!({})).await;
        watched.record.take_all();
        (watched, task)
    }

    async fn command(&self, command: Command) {
        self.bench.engine.command(command).await.expect("allowed");
    }
}

fn failure() -> Failure {
    Failure::new(FailureKind::Retryable, "no answer").with_code("HTTP_503")
}

/// V10, V11.
#[tokio::test(start_paused = true)]
async fn a_step_that_succeeds_is_told_once_with_how_long_it_took() {
    let (watched, task) = Watched::with_pair().await;
    let lease = watched.bench.claim().await.remove(0);
    let begun = watched.record.one(EventId::StepExecutionRequested);
    assert_eq!(
        (&begun["attempt_number"], &begun["step_id"]),
        (&json!(1), &json!(lease.key.step.to_string()))
    );
    // sleep: the time is paused
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    watched.bench.settle(lease.complete(Value::Null)).await;
    let told = watched.record.one(EventId::StepCompleted);
    assert_eq!(told["execution_duration"], json!(1.2));
    assert_eq!(told["task_id"], json!(task));
    for (field, value) in [("namespace", "default"), ("task_name", "pair"), ("task_version", "1.0.0")] {
        assert_eq!(told[field], value, "{field}");
    }
}

#[tokio::test]
async fn the_course_of_a_task_is_told_in_order() {
    let watched = watched();
    watched.bench.register(pair("1.0.0")).await;
    watched.bench.submit("pair", json!({})).await;
    assert_eq!(watched.record.names(), ["template.registered", "task.initialize_requested"]);
    let lease = watched.bench.claim().await.remove(0);
    assert_eq!(
        watched.record.names(),
        ["workflow.viable_steps_discovered", "task.start_requested", "step.execution_requested"]
    );
    watched.bench.settle(lease.complete(Value::Null)).await;
    assert_eq!(watched.record.names(), ["step.completed", "workflow.steps_execution_completed"]);
    let lease = watched.bench.claim().await.remove(0);
    watched.record.take_all();
    watched.bench.clock.advance(Duration::from_secs(9));
    watched.bench.settle(lease.complete(Value::Null)).await;
    let told = watched.record.take_all();
    let names: Vec<_> = told.iter().map(|(id, _)| id.name()).collect();
    assert_eq!(names, ["step.completed", "workflow.steps_execution_completed", "task.completed"]);
    assert_eq!(told[2].1["total_execution_duration"], json!(9.0));
    watched.bench.claim().await;
    assert_eq!(watched.record.names(), ["workflow.no_viable_steps"]);
}

#[tokio::test]
async fn a_failure_says_whether_it_is_repeated() {
    let (watched, _) = Watched::with_pair().await;
    let record = &watched.record;
    for attempt in 1..=3 {
        let lease = watched.bench.claim().await.remove(0);
        record.take_all();
        watched.bench.settle(lease.retry(failure(), When::After(Duration::ZERO))).await;
        let told = record.take_all();
        let (names, first): (Vec<_>, _) = (told.iter().map(|(id, _)| id.name()).collect(), &told[0].1);
        assert_eq!((&first["attempt_number"], &first["will_retry"]), (&json!(attempt), &json!(attempt < 3)));
        assert_eq!(
            (&first["exception_class"], &first["error_category"]),
            (&json!("HTTP_503"), &json!("server_error"))
        );
        let follows =
            if attempt < 3 { "observability.step.backoff" } else { "observability.step.max_retries_reached" };
        assert_eq!(names[..2], ["step.failed", follows]);
        assert_eq!(names.last() == Some(&"task.failed"), attempt == 3);
    }
}

#[tokio::test]
async fn commands_are_told_with_all_they_changed() {
    let (watched, task) = Watched::with_pair().await;
    let record = &watched.record;
    let by = || "ann".to_owned();
    let lease = watched.bench.claim().await.remove(0);
    let step = lease.key.step;
    watched.bench.settle(lease.fail(failure())).await;
    record.take_all();
    let retry = Command::Retry { target: Target::Step(step), attempts: Attempts::Reset, by: by() };
    watched.command(retry.clone()).await;
    assert_eq!(record.names(), ["step.retry_requested", "task.retry_requested"]);
    assert!(watched.bench.engine.command(retry).await.is_err());
    assert_eq!(record.one(EventId::CommandRefused)["verb"], "retry");
    watched.command(Command::Pause { task, by: by(), reason: None }).await;
    watched.command(Command::Resume { task, by: by() }).await;
    watched.command(Command::UpdateTask { task, reason: Some("x".to_owned()), tags: None, by: by() }).await;
    watched.command(Command::UpdateStep { step, inputs: Some(json!(1)), retry_limit: None, by: by() }).await;
    assert_eq!(record.names(), ["task.paused", "task.resumed", "task.updated", "step.updated"]);
    let target = Target::Step(step);
    watched.command(Command::Resolve { target, results: None, by: by(), reason: None }).await;
    assert_eq!(record.names(), ["step.resolved_manually"]);
    let target = Target::Task(task);
    watched.command(Command::Cancel { target, by: by(), reason: Some("late".to_owned()) }).await;
    let told = record.take_all();
    let names: BTreeSet<_> = told.iter().map(|(id, _)| id.name()).collect();
    assert_eq!((told.len(), names), (2, BTreeSet::from(["step.cancelled", "task.cancelled"])));
    let cancelled = told.iter().find(|(id, _)| *id == EventId::TaskCancelled).expect("told");
    assert_eq!((&cancelled.1["by"], &cancelled.1["cancellation_reason"]), (&json!("ann"), &json!("late")));
}

#[tokio::test]
async fn leases_that_are_lost_are_told_by_whoever_meets_them() {
    let (watched, task) = Watched::with_pair().await;
    let (bench, record) = (&watched.bench, &watched.record);
    let lease = bench.claim().await.remove(0);
    bench.store.renew(bench.worker, vec![lease.key], Duration::from_secs(30)).await.expect("in memory");
    assert_eq!(record.one(EventId::LeaseRenewed)["lease_count"], 1);
    bench.clock.advance(Duration::from_secs(31));
    Rescuer::new(Arc::clone(&bench.store), 1).rescue().await.expect("in memory");
    let names = record.names();
    assert_eq!(names[..3], ["lease.expired", "step.failed", "observability.step.backoff"]);
    bench.store.renew(bench.worker, vec![lease.key], Duration::from_secs(30)).await.expect("in memory");
    assert_eq!(record.one(EventId::LeaseLost)["task_id"], json!(task));
    bench.clock.advance(Duration::from_secs(60));
    let lease = bench.claim().await.remove(0);
    bench.engine.cancel(Target::Step(lease.key.step), "ann", None).await.expect("allowed");
    record.take_all();
    bench.settle(lease.complete(Value::Null)).await;
    assert_eq!(record.names(), ["lease.fenced"]);
}

#[tokio::test]
async fn a_handler_that_asks_to_wait_is_told_until_when() {
    let (watched, _) = Watched::with_pair().await;
    let lease = watched.bench.claim().await.remove(0);
    watched.bench.settle(lease.snooze(When::After(Duration::from_secs(9)))).await;
    assert_eq!(watched.record.one(EventId::StepSnoozed)["until"], json!(START.plus(Duration::from_secs(9))));
}

#[tokio::test]
async fn duplicates_are_told_as_they_are_answered() {
    let watched = watched();
    watched.bench.register(pair("1.0.0")).await;
    let request = |on_duplicate| {
        let mut request = TaskRequest::new("pair".parse().expect("a request"), json!({}));
        request.identity = Some(tasker_core::IdentityStrategy::Hash { window_seconds: 60 });
        request.on_duplicate = on_duplicate;
        request
    };
    let first = watched.bench.engine.submit(request(OnDuplicate::ReturnExisting)).await.expect("made").id();
    watched.record.take_all();
    watched.bench.engine.submit(request(OnDuplicate::ReturnExisting)).await.expect("returned");
    assert_eq!(watched.record.one(EventId::TaskDuplicateFound), json!({ "task_id": first }));
    assert!(watched.bench.engine.submit(request(OnDuplicate::Refuse)).await.is_err());
    let reason = watched.record.one(EventId::TaskSubmissionRefused)["reason"].to_string();
    assert!(reason.contains("duplicate"), "{reason}");
}

#[tokio::test]
async fn templates_namespaces_and_old_tasks_are_told_of() {
    let (watched, task) = Watched::with_pair().await;
    let (engine, record) = (&watched.bench.engine, &watched.record);
    let mut other = pair("1.0.0");
    other["description"] = json!("another");
    let other = tasker_core::TaskTemplate::from_definition(&other).expect("a template");
    assert!(engine.register(Arc::new(other), WhenTaken::Refuse).await.is_err());
    assert_eq!(record.one(EventId::TemplateRefused), json!({ "template": "default.pair@1.0.0" }));
    let (namespace, by) = (Namespace::default(), "ann".to_owned());
    let pause = Command::PauseNamespace { namespace: namespace.clone(), by: by.clone(), reason: None };
    watched.command(pause).await;
    watched.command(Command::ResumeNamespace { namespace, by: by.clone() }).await;
    assert_eq!(record.names(), ["namespace.paused", "namespace.resumed"]);
    let lease = watched.bench.claim().await.remove(0);
    watched.bench.settle(lease.fail(failure())).await;
    record.take_all();
    let target = Target::Task(task);
    watched.command(Command::Resolve { target, results: None, by, reason: None }).await;
    let told = record.names();
    assert!(told.contains(&"task.resolved_manually") && told.contains(&"step.cancelled"), "{told:?}");
    watched.bench.clock.advance(Duration::from_secs(9));
    let retention = Retention { ended: Duration::ZERO, failed: Duration::ZERO };
    watched.bench.store.prune(retention, 10).await.expect("in memory");
    assert_eq!(record.one(EventId::TaskPruned), json!({ "task_count": 1 }));
}

#[tokio::test]
async fn workers_are_told_of_when_they_come_drain_and_go() {
    let watched = watched();
    let store = &watched.bench.store;
    let mut record = WorkerRecord {
        id: watched.bench.worker,
        name: "w".to_owned(),
        queues: Vec::new(),
        handlers: Vec::new(),
        concurrency: 3,
        started_at: START,
        seen_at: START,
        draining: false,
    };
    for draining in [false, false, true, true] {
        record.draining = draining;
        store.beat(record.clone()).await.expect("in memory");
    }
    store.leave(record.id).await.expect("in memory");
    store.leave(record.id).await.expect("in memory");
    assert_eq!(watched.record.names(), ["worker.registered", "worker.draining", "worker.stopped"]);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_slow_or_away_is_told_of() {
    let watched = watched();
    let store = &watched.bench.store;
    watched.faulty.faults.lock().expect("nobody panicked").extend([Fault::IsUnavailable, Fault::IsSlow]);
    assert!(store.deadlines().await.is_err());
    let failed = watched.record.one(EventId::DatabaseQueryFailed);
    assert_eq!((&failed["operation"], &failed["is_transient"]), (&json!("deadlines"), &json!(true)));
    store.deadlines().await.expect("slow");
    let told = std::mem::take(&mut *watched.record.0.lock().expect("nobody panicked"));
    assert_eq!(
        told,
        [
            (EventId::DatabaseQueryExecuted, json!({ "operation": "deadlines", "duration": 2.0 })),
            (EventId::DatabaseConnectionRestored, json!({ "duration": 2.0 })),
            (
                EventId::PerformanceSlowOperation,
                json!({ "operation": "deadlines", "duration": 2.0, "threshold": 1.0 })
            ),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_database_is_told_once_with_its_length() {
    let watched = watched();
    let (store, record) = (&watched.bench.store, &watched.record);
    watched.faulty.faults.lock().expect("nobody panicked").extend([Fault::IsUnavailable; 3]);
    for _ in 0..3 {
        assert!(store.deadlines().await.is_err());
        // sleep: the time is paused
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let told = record.one(EventId::DatabaseConnectionLost);
    assert_eq!(told, json!({ "error_message": "the database is not available" }));
    store.deadlines().await.expect("it is back");
    store.deadlines().await.expect("it is back");
    assert_eq!(record.one(EventId::DatabaseConnectionRestored), json!({ "duration": 3.0 }));
}

/// One that takes nothing.
struct Closed;

#[async_trait]
impl Subscriber for Closed {
    fn name(&self) -> &'static str {
        "closed"
    }

    fn interests(&self) -> Interests {
        Interests::of([EventId::WorkerStopped])
    }

    async fn deliver(&self, _: &Envelope) -> Result<(), DeliveryError> {
        Err("it is closed".into())
    }
}

#[tokio::test]
async fn a_subscriber_that_fails_is_told_of() {
    let watched = watched();
    let subscription = watched.events.subscribe(Arc::new(Closed), SubscriptionSettings::default());
    watched.events.emit(&Event::WorkerStopped { worker: watched.bench.worker });
    subscription.close().await;
    let told = watched.record.one(EventId::SubscriberFailed);
    assert_eq!(
        told,
        json!({ "subscriber": "closed", "event": "worker.stopped", "error_message": "it is closed" })
    );
}
