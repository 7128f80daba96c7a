//! What a handler is told about the attempt it makes.

mod emit;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tasker_core::{Backoff, LeaseKey, Namespace, StepId, StepName, TaskId, TaskName, Timestamp, Version};
use tasker_events::{AttemptRef, Event, Events, StepKind};
use tasker_store::{Origin, Transition};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::HandlerError;
use crate::secrets::Secrets;
use crate::tracer::Tracer;

/// An attempt may log so many bytes; what comes after is dropped.
pub const LOG_LIMIT_BYTES: usize = 64 * 1024;

/// What a handler is told about the attempt it makes. Cloning it is cheap.
#[derive(Clone)]
pub struct StepContext(Arc<Attempt>);

/// What is the same in all attempts of a step, in all tasks of its template.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) namespace: Namespace,
    pub(crate) task_name: TaskName,
    pub(crate) version: Version,
    pub(crate) step: StepName,
    /// What the step waits after a failed attempt.
    pub(crate) backoff: Backoff,
    /// The step as events name it.
    pub(crate) kind: Arc<StepKind>,
}

/// What is true of one attempt.
pub(crate) struct Attempt {
    pub(crate) blueprint: Arc<Blueprint>,
    pub(crate) key: LeaseKey,
    pub(crate) retry_limit: u32,
    pub(crate) claimed_at: Timestamp,
    /// When the lease was received, by the worker's own clock.
    pub(crate) received: Instant,
    pub(crate) deadline: Option<Instant>,
    pub(crate) context: Value,
    pub(crate) dependencies: Vec<(StepName, Value)>,
    pub(crate) history: Vec<Transition>,
    pub(crate) origin: Origin,
    pub(crate) tracer: Arc<dyn Tracer>,
    pub(crate) config: Arc<Value>,
    pub(crate) cancellation: CancellationToken,
    pub(crate) progress: Progress,
    pub(crate) events: Events,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) log: Log,
}

/// The latest note on how far an attempt has come, shared with the runner.
pub(crate) type Progress = Arc<Mutex<Option<Value>>>;

/// Takes the lines that handlers log.
pub trait LogSink: Send + Sync {
    /// A line, without its end, of the attempt that `step` tells about.
    fn line(&self, step: &StepContext, line: &str);
}

/// Drops every line.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLog;

impl LogSink for NoLog {
    fn line(&self, _: &StepContext, _: &str) {}
}

/// Where the lines of one attempt go, and how much it has logged.
pub(crate) struct Log {
    sink: Arc<dyn LogSink>,
    bytes: AtomicUsize,
}

impl Log {
    pub(crate) fn to(sink: Arc<dyn LogSink>) -> Self {
        Self { sink, bytes: AtomicUsize::new(0) }
    }
}

impl StepContext {
    pub(crate) fn of(attempt: Attempt) -> Self {
        Self(Arc::new(attempt))
    }

    /// The task.
    pub fn task_id(&self) -> TaskId {
        self.0.key.step.task()
    }

    /// The step.
    pub fn step_id(&self) -> StepId {
        self.0.key.step
    }

    /// The name of the step.
    pub fn step_name(&self) -> &StepName {
        &self.0.blueprint.step
    }

    /// The namespace of the task's template.
    pub fn namespace(&self) -> &Namespace {
        &self.0.blueprint.namespace
    }

    /// The name of the task's template.
    pub fn task_name(&self) -> &TaskName {
        &self.0.blueprint.task_name
    }

    /// The version of the task's template.
    pub fn version(&self) -> &Version {
        &self.0.blueprint.version
    }

    /// The number of this attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.0.key.attempt
    }

    /// The number of the last attempt that may be made.
    pub fn retry_limit(&self) -> u32 {
        self.0.retry_limit
    }

    /// What another system can tell repeated attempts by: the same in all attempts of the step, and of no other
    /// step. An attempt may have done its work although its end was never heard of.
    pub fn idempotency_key(&self) -> String {
        self.0.key.step.to_string()
    }

    /// What all that was caused by the same request has in common, if the task says so; `None` also for a handler that
    /// wants no inputs.
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.origin.correlation_id.as_deref()
    }

    /// What something that is asked of others now is a part of, as the header `traceparent` of [W3C Trace
    /// Context](https://www.w3.org/TR/trace-context/) says it; `None` where nothing is traced.
    pub fn traceparent(&self) -> Option<String> {
        self.0.tracer.traceparent(self.0.key, &self.0.origin)
    }

    /// What the step waits after a failed attempt, unless its handler asks for something else.
    pub fn backoff(&self) -> &Backoff {
        &self.0.blueprint.backoff
    }

    /// The context of the task; null if the handler did not want it.
    pub fn context(&self) -> &Value {
        &self.0.context
    }

    /// The context of the task as a type of the handler's own.
    ///
    /// # Errors
    /// A permanent [`HandlerError`] that says what does not fit.
    pub fn context_as<T: DeserializeOwned>(&self) -> Result<T, HandlerError> {
        fitted(&self.0.context, || "the context of the task".to_owned())
    }

    /// What a step that this one depends on produced; `None` if it does not depend on a step of that name.
    pub fn dependency(&self, name: &str) -> Option<&Value> {
        self.dependencies().find(|(step, _)| step.as_str() == name).map(|(_, results)| results)
    }

    /// What a step that this one depends on produced, as a type of the handler's own.
    ///
    /// # Errors
    /// A permanent [`HandlerError`] if this step does not depend on a step of that name, or if what it
    /// produced does not fit.
    pub fn dependency_as<T: DeserializeOwned>(&self, name: &str) -> Result<T, HandlerError> {
        let Some(results) = self.dependency(name) else {
            let message = format!(
                "step \"{}\" does not depend on \"{name}\"; add that to its depends_on_steps",
                self.step_name()
            );
            return Err(HandlerError::permanent(message).code("NOT_A_DEPENDENCY"));
        };
        fitted(results, || format!("the results of step \"{name}\""))
    }

    /// What the steps that this one depends on produced.
    pub fn dependencies(&self) -> impl Iterator<Item = (&StepName, &Value)> {
        self.0.dependencies.iter().map(|(name, results)| (name, results))
    }

    /// What happened to the step before this attempt, if its handler wanted to know.
    pub fn history(&self) -> &[Transition] {
        &self.0.history
    }

    /// The step's `handler_config`, over what a binding lays under it, with everything inserted.
    pub fn config(&self) -> &Value {
        &self.0.config
    }

    /// The step's `handler_config` as a type of the handler's own.
    ///
    /// # Errors
    /// A permanent [`HandlerError`] that says what does not fit.
    pub fn config_as<T: DeserializeOwned>(&self) -> Result<T, HandlerError> {
        fitted(&self.0.config, || "handler_config".to_owned())
    }

    /// Triggered when the attempt is to end: its time is up, its lease is lost, or the worker shuts down.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.0.cancellation
    }

    /// When the attempt's time is up, if its step has a `timeout_seconds`.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }

    /// When the attempt was claimed, by the clock of the store.
    pub fn claimed_at(&self) -> Timestamp {
        self.0.claimed_at
    }

    /// The present by the clock of the store.
    pub fn now(&self) -> Timestamp {
        self.0.claimed_at.plus(self.0.received.elapsed())
    }

    /// Notes how far the work has come. Only the latest note is kept, and only in memory: it is logged at debug, and
    /// stands as `progress` in the details of the failure if the attempt takes too long, loses its lease or is
    /// interrupted by a shutdown. It does not renew the lease; the runner does.
    pub fn progress(&self, note: Value) {
        tracing::debug!(attempt = %self.0.key, step = %self.0.blueprint.step, progress = %note, "an attempt goes on");
        *self.0.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(note);
    }

    /// The latest note on how far the work has come.
    pub fn latest_progress(&self) -> Option<Value> {
        self.0.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logs what may be several lines. Once an attempt has logged [`LOG_LIMIT_BYTES`] the rest is dropped, which
    /// a last line says.
    pub fn log(&self, text: &str) {
        for line in text.lines() {
            let before = self.0.log.bytes.fetch_add(line.len() + 1, Ordering::Relaxed);
            if before + line.len() < LOG_LIMIT_BYTES {
                let hidden = self.0.secrets.hidden(line);
                self.0.log.sink.line(self, hidden.as_deref().unwrap_or(line));
            } else if before < LOG_LIMIT_BYTES {
                // Whatever comes later finds the limit passed, also if this line was a short one.
                self.0.log.bytes.fetch_add(LOG_LIMIT_BYTES, Ordering::Relaxed);
                self.0.log.sink.line(self, "(the attempt has logged 64 kB; the rest is dropped)");
                let (attempt, limit_bytes) = (self.as_ref(), LOG_LIMIT_BYTES as u64);
                self.0.events.emit(&Event::StepLogTruncated { attempt, limit_bytes });
            }
        }
    }

    /// The span that its handler runs in.
    pub(crate) fn span(&self, handler: &str) -> tracing::Span {
        self.0.tracer.span(self.0.key, &self.0.origin, handler)
    }

    /// The attempt as events name it.
    pub(crate) fn as_ref(&self) -> AttemptRef<'_> {
        AttemptRef { key: self.0.key, kind: &self.0.blueprint.kind }
    }

    /// The attempt as JSON: what programs and services outside are given.
    pub fn to_json(&self) -> Value {
        let dependencies: serde_json::Map<String, Value> =
            self.dependencies().map(|(name, results)| (name.to_string(), results.clone())).collect();
        json!({
            "task_id": self.task_id(),
            "step_id": self.step_id(),
            "namespace": self.namespace(),
            "task": self.task_name(),
            "version": self.version(),
            "step": self.step_name(),
            "attempt": self.attempt(),
            "retry_limit": self.retry_limit(),
            "idempotency_key": self.idempotency_key(),
            "context": self.context(),
            "dependencies": dependencies,
        })
    }
}

impl fmt::Debug for StepContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepContext")
            .field("key", &self.0.key)
            .field("step", &self.0.blueprint.step)
            .finish_non_exhaustive()
    }
}

fn fitted<T: DeserializeOwned>(value: &Value, what: impl Fn() -> String) -> Result<T, HandlerError> {
    T::deserialize(value).map_err(|error| {
        HandlerError::permanent(format!("{} does not fit its handler: {error}", what())).code("INVALID_INPUT")
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use tasker_core::Outcome;

    use super::*;
    use crate::testing::{LogLines, TestStep};

    #[derive(Debug, Deserialize)]
    struct Order {
        amount: u32,
    }

    #[test]
    fn a_context_that_does_not_fit_is_a_permanent_failure_that_says_why() {
        let step = TestStep::new().context(json!({ "amount": "many" })).build();
        let error = step.context_as::<Order>().map(|order| order.amount).expect_err("not a number");
        let Outcome::Fail(failure) = Outcome::from(error) else { panic!("not permanent") };
        assert_eq!(
            failure.message,
            "the context of the task does not fit its handler: invalid type: string \"many\", expected u32"
        );
    }

    #[test]
    fn results_of_a_step_that_is_no_dependency_are_missed_by_name() {
        let step = TestStep::new().dependency("quote", json!({ "amount": 3 })).build();
        assert_eq!(step.dependency_as::<Order>("quote").expect("fits").amount, 3);
        let error = step.dependency_as::<Order>("quota").expect_err("no such dependency");
        assert_eq!(
            error.to_string(),
            "step \"step\" does not depend on \"quota\"; add that to its depends_on_steps"
        );
    }

    #[test]
    fn an_attempt_logs_64_kilobytes_and_no_more() {
        let lines = LogLines::default();
        let step = TestStep::new().log_to(lines.clone()).build();
        for _ in 0..70 {
            step.log(&"x".repeat(1_000));
        }
        step.log("short");
        let lines = lines.take();
        assert_eq!(lines.len(), 66);
        assert_eq!(lines[65], "(the attempt has logged 64 kB; the rest is dropped)");
    }
}
