//! A store in memory whose time is that of tokio, so that paused tests wait for nothing; and runners on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tasker_core::{Clock, ParseOptions, State, TaskId, TaskTemplate, Timestamp, WorkerId};
use tasker_handler::testing::LogLines;
use tasker_handler::{Counters, Registry, Runner, RunnerReport, RunnerSettings, Surroundings};
use tasker_store::memory::MemoryStore;
use tasker_store::{
    FeedStore, NewTask, PlanId, PutTemplate, ReadStore, StepRecord, Store, TaskStore, TemplateStore,
    WhenTaken,
};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A clock that goes with the time of tokio.
#[derive(Debug, Clone, Copy)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000).plus(self.0.elapsed())
    }
}

/// A store, and somebody who says when steps become ready.
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    clock: TokioClock,
    tasks: AtomicU32,
}

/// A runner at work.
pub(crate) struct Working {
    pub(crate) counters: Arc<Counters>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) id: WorkerId,
    /// What steps have logged.
    pub(crate) log: LogLines,
    join: JoinHandle<RunnerReport>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = TokioClock(Instant::now());
        let store = Arc::new(MemoryStore::new(Arc::new(clock)));
        tokio::spawn(ring(Arc::clone(&store), clock));
        Self { store, clock, tasks: AtomicU32::new(0) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Stores a template, given as its steps.
    pub(crate) async fn template(&self, steps: Value) -> PlanId {
        let name = format!("task{}", self.tasks.fetch_add(1, Ordering::SeqCst));
        self.whole_template(json!({ "name": name, "step_templates": steps })).await
    }

    pub(crate) async fn whole_template(&self, definition: Value) -> PlanId {
        let parsed = TaskTemplate::parse(&definition.to_string(), &ParseOptions::default());
        let template = Arc::new(parsed.unwrap_or_else(|errors| panic!("{errors}")).template);
        let put = PutTemplate { template, when_taken: WhenTaken::Refuse };
        let id = self.store.put_template(put).await.expect("in memory").expect("a free key");
        self.store.plan(id, 0).await.expect("in memory").expect("just stored")
    }

    pub(crate) async fn submit(&self, plan: PlanId, context: Value) -> TaskId {
        let number = self.tasks.fetch_add(1, Ordering::SeqCst);
        let id = TaskId::new(self.now(), u128::from(number) << 20);
        let task = NewTask {
            id,
            plan,
            context,
            initiator: String::new(),
            source_system: String::new(),
            reason: String::new(),
            tags: Vec::new(),
            bypass_steps: Vec::new(),
            requested_at: self.now(),
            origin: tasker_store::Origin::default(),
            identity: None,
        };
        self.store.submit(vec![task]).await.expect("in memory").expect("a fresh id");
        id
    }

    /// A template of these steps, and a task of it.
    pub(crate) async fn task(&self, steps: Value, context: Value) -> TaskId {
        let plan = self.template(steps).await;
        self.submit(plan, context).await
    }

    /// Starts a runner.
    pub(crate) fn work(&self, registry: Registry, adjust: impl FnOnce(&mut RunnerSettings)) -> Working {
        self.work_on(Arc::clone(&self.store) as Arc<dyn Store>, registry, adjust)
    }

    pub(crate) fn work_on(
        &self,
        store: Arc<dyn Store>,
        registry: Registry,
        adjust: impl FnOnce(&mut RunnerSettings),
    ) -> Working {
        self.work_watched(store, registry, adjust, |runner| runner)
    }

    /// Starts a runner at which somebody looks on.
    pub(crate) fn work_watched(
        &self,
        store: Arc<dyn Store>,
        registry: Registry,
        adjust: impl FnOnce(&mut RunnerSettings),
        watch: impl FnOnce(Runner) -> Runner,
    ) -> Working {
        let id = WorkerId::new(self.now(), u128::from(self.tasks.fetch_add(1, Ordering::SeqCst)) << 20);
        let mut settings = RunnerSettings::new(id);
        settings.backoff.jitter = false;
        adjust(&mut settings);
        let log = LogLines::default();
        let runner =
            Runner::new(store, registry, settings, StdRng::seed_from_u64(7)).log_to(Arc::new(log.clone()));
        let runner = watch(runner);
        let (counters, shutdown) = (runner.counters(), CancellationToken::new());
        let join = tokio::spawn(runner.run(shutdown.clone()));
        Working { counters, shutdown, id, log, join }
    }

    /// Waits until something is true of the store, which is looked at after every change.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, is_so: impl Fn() -> F) {
        let mut changes = self.store.wake().feed();
        let waited = async {
            while !is_so().await {
                changes.changed().await.expect("the store lives");
            }
        };
        tokio::time::timeout(Duration::from_hours(10), waited).await.expect("it becomes so within ten hours");
    }

    /// Waits until a task has come to its end, or to a standstill.
    pub(crate) async fn ended(&self, task: TaskId) -> State {
        self.until(async || !matches!(self.state(task).await, State::Pending | State::InProgress)).await;
        self.state(task).await
    }

    pub(crate) async fn state(&self, task: TaskId) -> State {
        self.store.task(task).await.expect("in memory").expect("it was submitted").state
    }

    pub(crate) async fn step(&self, task: TaskId, ordinal: usize) -> StepRecord {
        self.store.steps(task).await.expect("in memory").swap_remove(ordinal)
    }

    /// Waits until a step of a task is in a state.
    pub(crate) async fn step_is(&self, task: TaskId, ordinal: usize, state: State) -> StepRecord {
        self.until(async || self.step(task, ordinal).await.state == state).await;
        self.step(task, ordinal).await
    }
}

impl Working {
    /// Asks the runner to stop, and waits for it.
    pub(crate) async fn stop(self) -> RunnerReport {
        self.shutdown.cancel();
        self.join.await.expect("the runner does not panic")
    }

    /// Ends the runner as a crash would.
    pub(crate) fn kill(&self) {
        self.join.abort();
    }
}

/// The built-in handlers.
pub(crate) fn registry() -> Registry {
    Registry::new(Surroundings::default())
}

/// Says that steps are ready when their time has come, as the engine's scheduler does.
async fn ring(store: Arc<MemoryStore>, clock: TokioClock) {
    let mut next_due = store.wake().next_due();
    loop {
        let due = *next_due.borrow_and_update();
        let wait = due.map_or(Duration::from_hours(24), |due| due.since(clock.now()));
        tokio::select! {
            // sleep: this is the alarm clock that tests wait for
            () = tokio::time::sleep(wait) => {
                if store.wake().take_due(clock.now()) {
                    store.wake().steps_are_ready();
                }
            }
            _ = next_due.changed() => {}
        }
    }
}
