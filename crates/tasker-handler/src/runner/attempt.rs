//! One attempt: from a lease and its inputs to an outcome.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, LeaseKey, Outcome, StepName, Timestamp};
use tasker_events::{AttemptRef, Event, Events};
use tasker_store::{Origin, Transition};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::plans::{Prepared, Runnable};
use crate::context::{Attempt, Log, LogSink, Progress, StepContext};
use crate::secrets::Secrets;
use crate::templating::Scope;
use crate::tracer::Tracer;

/// An attempt to be made.
pub(super) struct Job {
    pub(super) prepared: Arc<Prepared>,
    pub(super) key: LeaseKey,
    pub(super) retry_limit: u32,
    pub(super) claimed_at: Timestamp,
    pub(super) received: Instant,
    pub(super) given: Given,
    pub(super) cancellation: CancellationToken,
    pub(super) progress: Progress,
    pub(super) observers: Arc<Observers>,
    pub(super) secrets: Arc<Secrets>,
    /// How long the handler gets to end after it was cancelled.
    pub(super) grace: Duration,
}

/// What was read for an attempt.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) context: Value,
    pub(super) dependencies: Vec<(StepName, Value)>,
    pub(super) history: Vec<Transition>,
    pub(super) origin: Origin,
}

/// Those who look on while attempts are made.
#[derive(Clone)]
pub(super) struct Observers {
    pub(super) log: Arc<dyn LogSink>,
    pub(super) tracer: Arc<dyn Tracer>,
    pub(super) events: Events,
}

impl Job {
    /// Makes the attempt. Panics become outcomes.
    pub(super) async fn make(self) -> Outcome {
        let (prepared, events, key) = (Arc::clone(&self.prepared), self.observers.events.clone(), self.key);
        let attempt = AttemptRef { key, kind: &prepared.blueprint.kind };
        events.emit(&Event::StepBeforeHandle { attempt });
        let begun = Instant::now();
        let made = AssertUnwindSafe(self.attempt()).catch_unwind().await;
        let outcome = made.unwrap_or_else(|panic| panicked(&*panic));
        let duration = begun.elapsed().as_secs_f64();
        events.emit(&Event::StepHandle { attempt, duration, outcome: word(&outcome) });
        outcome
    }

    async fn attempt(self) -> Outcome {
        let (prepared, progress, grace) =
            (Arc::clone(&self.prepared), Arc::clone(&self.progress), self.grace);
        let runnable = match &prepared.runnable {
            Ok(runnable) => runnable,
            Err(outcome) => return outcome.clone(),
        };
        let step = match self.step(runnable) {
            Ok(step) => step,
            Err(outcome) => return outcome,
        };
        let limits = Limits { timeout: prepared.timeout, grace };
        let span = step.span(prepared.blueprint.kind.handler.as_str());
        if span.is_none() {
            return limits.run(runnable, &step, &progress).await;
        }
        limits.run(runnable, &step, &progress).instrument(span).await
    }

    fn step(self, runnable: &Runnable) -> Result<StepContext, Outcome> {
        let Given { context, dependencies, history, origin } = self.given;
        let Observers { log, tracer, events } = (*self.observers).clone();
        let scope = Scope {
            key: self.key,
            retry_limit: self.retry_limit,
            blueprint: &self.prepared.blueprint,
            context: &context,
            dependencies: &dependencies,
        };
        let config = runnable.recipe.render(scope)?;
        Ok(StepContext::of(Attempt {
            blueprint: Arc::clone(&self.prepared.blueprint),
            key: self.key,
            retry_limit: self.retry_limit,
            claimed_at: self.claimed_at,
            received: self.received,
            deadline: self.prepared.timeout.map(|timeout| Instant::now() + timeout),
            context,
            dependencies,
            history,
            origin,
            tracer,
            config,
            cancellation: self.cancellation,
            progress: self.progress,
            events,
            secrets: self.secrets,
            log: Log::to(log),
        }))
    }
}

/// How long a handler may take.
struct Limits {
    timeout: Option<Duration>,
    grace: Duration,
}

impl Limits {
    async fn run(self, runnable: &Runnable, step: &StepContext, progress: &Progress) -> Outcome {
        let Some(timeout) = self.timeout else { return runnable.handler.run(step).await };
        let mut run = runnable.handler.run(step);
        if let Ok(outcome) = tokio::time::timeout(timeout, &mut run).await {
            return outcome;
        }
        step.cancellation().cancel();
        // Whatever it answers now comes too late.
        let _ = tokio::time::timeout(self.grace, run).await;
        with_progress(timed_out(timeout), progress)
    }
}

/// The failure of an attempt that did not end by itself, with how far it had come.
pub(super) fn with_progress(outcome: Outcome, progress: &Progress) -> Outcome {
    let note = progress.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (outcome, note) {
        (Outcome::Retry { failure, when }, Some(note)) => {
            Outcome::Retry { failure: failure.with_details(json!({ "progress": note })), when }
        }
        (outcome, _) => outcome,
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Retry { .. } => "retry",
        Outcome::Fail(_) => "fail",
        Outcome::Snooze(_) => "snooze",
    }
}

fn timed_out(timeout: Duration) -> Outcome {
    let message = format!("the attempt took longer than {} s, its timeout_seconds", timeout.as_secs());
    Outcome::Retry { failure: Failure::new(FailureKind::Timeout, message).with_code("TIMEOUT"), when: None }
}

/// The outcome of an attempt whose handler panicked.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> Outcome {
    let said =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = said
        .map_or_else(|| "the handler panicked".to_owned(), |said| format!("the handler panicked: {said}"));
    Outcome::Retry { failure: Failure::new(FailureKind::Panic, message).with_code("PANIC"), when: None }
}
