//! One attempt: from a lease and its inputs to an outcome.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, LeaseKey, Outcome, StepName, Timestamp};
use tasker_store::Transition;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::plans::{Prepared, Runnable};
use crate::context::{Attempt, Log, LogSink, Progress, StepContext};
use crate::secrets::Secrets;
use crate::templating::Scope;

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
    pub(super) log: Arc<dyn LogSink>,
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
}

impl Job {
    /// Makes the attempt. Panics become outcomes.
    pub(super) async fn make(self) -> Outcome {
        AssertUnwindSafe(self.attempt()).catch_unwind().await.unwrap_or_else(|panic| panicked(&*panic))
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
        let Some(timeout) = prepared.timeout else { return runnable.handler.run(&step).await };
        let mut run = runnable.handler.run(&step);
        if let Ok(outcome) = tokio::time::timeout(timeout, &mut run).await {
            return outcome;
        }
        step.cancellation().cancel();
        // Whatever it answers now comes too late.
        let _ = tokio::time::timeout(grace, run).await;
        with_progress(timed_out(timeout), &progress)
    }

    fn step(self, runnable: &Runnable) -> Result<StepContext, Outcome> {
        let Given { context, dependencies, history } = self.given;
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
            config,
            cancellation: self.cancellation,
            progress: self.progress,
            log: Log::to(self.log, self.secrets),
        }))
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
