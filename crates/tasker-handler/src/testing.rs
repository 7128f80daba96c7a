//! What tests of handlers need: a step to run them on, and doubles of handlers.
//!
//! ```
//! use serde_json::json;
//! use tasker_core::Outcome;
//! use tasker_handler::StepHandler;
//! use tasker_handler::testing::{RecordingHandler, TestStep};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let step = TestStep::new().context(json!({ "order": 7 })).attempt(2).build();
//! let handler = RecordingHandler::answering([Outcome::Done(json!("shipped"))]);
//! assert_eq!(handler.run(&step).await, Outcome::Done(json!("shipped")));
//! assert_eq!(handler.steps()[0].context()["order"], 7);
//! # });
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tasker_core::{
    Backoff, Failure, FailureKind, LeaseKey, Namespace, Outcome, StepId, StepName, TaskId, TaskName,
    Timestamp, Version,
};
use tasker_events::{Cache, Events, StepKind, TaskKind};
use tasker_store::{Origin, Transition};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::context::{Attempt, Blueprint, Log, LogSink, NoLog, StepContext};
use crate::handler::{InputNeed, Placement, StepHandler};
use crate::tracer::{NoTracer, Tracer};

/// Builds the [`StepContext`] of a step that is in no store.
///
/// It begins as the first of three attempts of step `step` of task `default.task@0.1.0`, with an empty context.
pub struct TestStep {
    attempt: Attempt,
}

impl Default for TestStep {
    fn default() -> Self {
        Self::new()
    }
}

impl TestStep {
    /// A step with nothing in it.
    pub fn new() -> Self {
        let claimed_at = Timestamp::from_micros(1_790_000_000_000_000);
        let blueprint = Blueprint {
            namespace: Namespace::default(),
            task_name: TaskName::new("task").expect("invariant: a valid name"),
            version: Version::default(),
            step: StepName::new("step").expect("invariant: a valid name"),
            backoff: Backoff { jitter: false, ..Backoff::default() },
            kind: kind(),
        };
        let attempt = Attempt {
            blueprint: Arc::new(blueprint),
            key: LeaseKey { step: TaskId::new(claimed_at, 7).step(0), attempt: 1 },
            retry_limit: 3,
            claimed_at,
            received: Instant::now(),
            deadline: None,
            context: Value::Object(serde_json::Map::default()),
            dependencies: Vec::new(),
            history: Vec::new(),
            config: Arc::new(Value::Null),
            cancellation: CancellationToken::new(),
            progress: Arc::default(),
            origin: Origin::default(),
            tracer: Arc::new(NoTracer),
            events: Events::default(),
            secrets: Arc::default(),
            log: Log::to(Arc::new(NoLog)),
        };
        Self { attempt }
    }

    /// With this context of the task.
    #[must_use]
    pub fn context(mut self, context: Value) -> Self {
        self.attempt.context = context;
        self
    }

    /// Depending on a step of this name, which produced these results.
    ///
    /// # Panics
    /// If `name` cannot be the name of a step.
    #[must_use]
    pub fn dependency(mut self, name: &str, results: Value) -> Self {
        self.attempt.dependencies.push((StepName::new(name).expect("the name of a step"), results));
        self
    }

    /// With this `handler_config`, as it is after everything was inserted.
    #[must_use]
    pub fn config(mut self, config: Value) -> Self {
        self.attempt.config = Arc::new(config);
        self
    }

    /// As the step of this id.
    #[must_use]
    pub fn id(mut self, id: StepId) -> Self {
        self.attempt.key.step = id;
        self
    }

    /// As the attempt of this number.
    #[must_use]
    pub fn attempt(mut self, number: u32) -> Self {
        self.attempt.key.attempt = number;
        self
    }

    /// With this past.
    #[must_use]
    pub fn history(mut self, history: Vec<Transition>) -> Self {
        self.attempt.history = history;
        self
    }

    /// With so much time for the attempt.
    #[must_use]
    pub fn timeout(mut self, time: Duration) -> Self {
        self.attempt.deadline = Some(self.attempt.received + time);
        self
    }

    /// Of a task that belongs to this.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.attempt.origin = origin;
        self
    }

    /// Traced by `tracer`.
    #[must_use]
    pub fn tracer(mut self, tracer: impl Tracer + 'static) -> Self {
        self.attempt.tracer = Arc::new(tracer);
        self
    }

    /// Emitting to `events`.
    #[must_use]
    pub fn tell(mut self, events: Events) -> Self {
        self.attempt.events = events;
        self
    }

    /// Logging to `sink`.
    #[must_use]
    pub fn log_to(mut self, sink: impl LogSink + 'static) -> Self {
        self.attempt.log = Log::to(Arc::new(sink));
        self
    }

    /// The step.
    pub fn build(self) -> StepContext {
        StepContext::of(self.attempt)
    }
}

impl std::fmt::Debug for TestStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestStep").field("key", &self.attempt.key).finish_non_exhaustive()
    }
}

/// The step `step` of `default.task`, as events name it.
pub(crate) fn kind() -> Arc<StepKind> {
    let task = TaskKind {
        namespace: Namespace::default().to_string(),
        name: "task".to_owned(),
        version: Version::default().to_string(),
        steps: 1,
        cache: Cache::default(),
    };
    Arc::new(StepKind {
        task: Arc::new(task),
        name: "step".to_owned(),
        handler: "handler".to_owned(),
        queue: "default".to_owned(),
        cache: Cache::default(),
    })
}

/// Does nothing and is done with null.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopHandler;

#[async_trait]
impl StepHandler for NoopHandler {
    async fn run(&self, _: &StepContext) -> Outcome {
        Outcome::Done(Value::Null)
    }

    fn wants_inputs(&self) -> InputNeed {
        InputNeed::None
    }

    fn placement(&self) -> Placement {
        Placement::Inline
    }
}

/// Remembers the steps it was run on, and gives the answers it was made with, in turn. Clones remember together.
#[derive(Debug, Clone, Default)]
pub struct RecordingHandler(Arc<Recorded>);

#[derive(Debug, Default)]
struct Recorded {
    steps: Mutex<Vec<StepContext>>,
    answers: Mutex<VecDeque<Outcome>>,
}

impl RecordingHandler {
    /// A handler that gives these answers, and is done with null when they are used up.
    pub fn answering(answers: impl IntoIterator<Item = Outcome>) -> Self {
        let recorded = Recorded { answers: Mutex::new(answers.into_iter().collect()), ..Recorded::default() };
        Self(Arc::new(recorded))
    }

    /// A handler that fails so often before it is done with null.
    pub fn failing(times: usize) -> Self {
        let failed = || Outcome::Retry {
            failure: Failure::new(FailureKind::Retryable, "it failed, as it was told to"),
            when: None,
        };
        Self::answering(std::iter::repeat_with(failed).take(times))
    }

    /// The steps it was run on, in order.
    pub fn steps(&self) -> Vec<StepContext> {
        lock(&self.0.steps).clone()
    }
}

#[async_trait]
impl StepHandler for RecordingHandler {
    async fn run(&self, step: &StepContext) -> Outcome {
        lock(&self.0.steps).push(step.clone());
        lock(&self.0.answers).pop_front().unwrap_or(Outcome::Done(Value::Null))
    }
}

/// Keeps the lines that steps log. Clones keep them together.
#[derive(Debug, Clone, Default)]
pub struct LogLines(Arc<Mutex<Vec<String>>>);

impl LogLines {
    /// The lines so far, which are forgotten.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl LogSink for LogLines {
    fn line(&self, _: &StepContext, line: &str) {
        lock(&self.0).push(line.to_owned());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each is whole after every single operation, also if a test panicked while it held the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
