//! What attempts log is kept in the store, and disturbs nobody on the way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tasker_core::{ParseOptions, StepId, SystemClock, TaskId, TaskTemplate, Timestamp};
use tasker_handler::testing::{LogLines, TestStep};
use tasker_handler::{LogSink, StepContext};
use tasker_logbook::KeptLog;
use tasker_store::memory::MemoryStore;
use tasker_store::{
    AttemptLog, LogStore, NewTask, Origin, PutTemplate, StoreError, TaskStore, TemplateStore, WhenTaken,
};
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(5);
const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

/// The store in memory behind a line that can be cut.
struct Line {
    store: MemoryStore,
    is_cut: AtomicBool,
    /// How many calls did not come through.
    failed: AtomicU32,
}

#[async_trait]
impl LogStore for Line {
    async fn put_logs(&self, logs: Vec<AttemptLog>) -> Result<(), StoreError> {
        if self.is_cut.load(Ordering::SeqCst) {
            self.failed.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Unavailable(Arc::new(io::Error::other("the line is cut"))));
        }
        self.store.put_logs(logs).await
    }

    async fn logs(&self, task: TaskId, step: Option<StepId>) -> Result<Vec<AttemptLog>, StoreError> {
        self.store.logs(task, step).await
    }
}

/// A log that is kept of a task in the store.
struct World {
    line: Arc<Line>,
    through: LogLines,
    log: KeptLog,
    task: TaskId,
}

impl World {
    async fn new() -> Self {
        let store = MemoryStore::new(Arc::new(SystemClock));
        let task = submitted(&store).await;
        let line = Arc::new(Line { store, is_cut: AtomicBool::default(), failed: AtomicU32::default() });
        let through = LogLines::default();
        let log = KeptLog::start(Arc::clone(&line) as _, Arc::new(through.clone()));
        Self { line, through, log, task }
    }

    fn step(&self, attempt: u32) -> StepContext {
        TestStep::new().id(self.task.step(0)).attempt(attempt).log_to(self.log.clone()).build()
    }

    fn cut(&self, is_cut: bool) {
        self.line.is_cut.store(is_cut, Ordering::SeqCst);
    }

    /// The lines that are kept, each after the number of its attempt.
    async fn kept(&self) -> Vec<String> {
        let logs = self.line.logs(self.task, None).await.expect("in memory");
        let lines = logs.iter().flat_map(|log| log.lines.iter().map(|line| (log.key.attempt, &line.text)));
        lines.map(|(attempt, text)| format!("{attempt} {text}")).collect()
    }
}

/// A task of one step.
async fn submitted(store: &MemoryStore) -> TaskId {
    let definition = json!({ "name": "one", "step_templates": [{ "name": "a", "handler_class": "noop" }] });
    let parsed = TaskTemplate::parse(&definition.to_string(), &ParseOptions::default()).expect("a template");
    let put = PutTemplate { template: Arc::new(parsed.template), when_taken: WhenTaken::Refuse };
    let template = store.put_template(put).await.expect("in memory").expect("a free key");
    let plan = store.plan(template, 0).await.expect("in memory").expect("just stored");
    let id = TaskId::new(NOW, 7 << 20);
    let task = NewTask {
        id,
        plan,
        context: json!({}),
        initiator: String::new(),
        source_system: String::new(),
        reason: String::new(),
        tags: Vec::new(),
        bypass_steps: Vec::new(),
        requested_at: NOW,
        origin: Origin::default(),
        identity: None,
    };
    store.submit(vec![task]).await.expect("in memory").expect("a fresh id");
    id
}

#[tokio::test(start_paused = true)]
async fn lines_go_through_at_once_and_are_kept_by_attempt_within_a_moment() {
    let world = World::new().await;
    let before = world.step(1).now();
    world.step(1).log("one\ntwo");
    world.step(2).log("nul \0");
    world.step(1).log("three");
    assert_eq!(world.through.take(), ["one", "two", "nul \0", "three"]);
    assert_eq!(world.kept().await, [""; 0]);
    // sleep: paused time, longer than lines are gathered
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(world.kept().await, ["1 one", "1 two", "1 three", "2 nul \u{fffd}"]);
    let logs = world.line.logs(world.task, None).await.expect("in memory");
    assert_eq!(logs[0].lines[0].at, before);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_asked_again_and_gets_every_line_in_order() {
    let world = World::new().await;
    world.cut(true);
    world.step(1).log("one");
    // sleep: paused time, in which the store is asked several times
    tokio::time::sleep(PATIENCE).await;
    assert!(world.line.failed.load(Ordering::SeqCst) >= 3);
    world.step(1).log("two");
    assert!(!world.log.flush().await);
    world.cut(false);
    assert_eq!(world.log.clone().close(PATIENCE).await, 0);
    assert_eq!(world.kept().await, ["1 one", "1 two"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_store_that_stays_away_cannot_take_is_dropped_and_counted() {
    let world = World::new().await;
    world.cut(true);
    let (step, long) = (world.step(1), "x".repeat(9_936));
    (0..500).for_each(|_| world.log.line(&step, &long));
    assert_eq!((world.log.dropped(), world.through.take().len()), (100, 500));
    let before = Instant::now();
    assert_eq!(world.log.clone().close(PATIENCE).await, 500);
    assert_eq!(before.elapsed(), PATIENCE);
    world.cut(false);
    assert!(world.log.flush().await);
    assert_eq!(world.kept().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn much_is_kept_in_several_batches_in_its_order() {
    let world = World::new().await;
    let step = world.step(1);
    (0..300).for_each(|number| world.log.line(&step, &format!("{number} {}", "x".repeat(4_000))));
    assert!(world.log.flush().await);
    let kept = world.kept().await;
    let numbers: Vec<_> = kept.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(numbers, (0..300).map(|number: u32| number.to_string()).collect::<Vec<_>>());
}
