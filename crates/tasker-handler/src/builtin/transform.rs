//! `transform`: a jq filter over the context and the results of other steps.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, Outcome};
use tasker_filter::{CompileError, Filter, Limit, RunError, STACK_BYTES};
use tokio::sync::oneshot;

use crate::config::{Config, Misconfigured, Shape};
use crate::context::StepContext;
use crate::handler::StepHandler;

pub(super) const FIELDS: &[(&str, Shape)] = &[("filter", Shape::Text), ("collect", Shape::Flag)];

/// So many filters are kept compiled.
const KEPT: usize = 256;
/// A filter makes so many steps at most.
const MAX_STEPS: u64 = 10_000_000;

/// `transform`: a jq filter over the context and the results of other steps.
///
/// | Field of `handler_config` | |
/// |---|---|
/// | `filter` | in the jq language; its input is `{context, steps: {NAME: results}, config}` |
/// | `collect` | whether the outputs make a list |
///
/// Results: the output of the filter, null if it has none; several outputs are a failure unless `collect` is true.
/// A filter sees neither the environment nor files, and ends when its attempt does. It has at most 16 KiB, makes at
/// most ten million steps in a minute, and no text of more than 16 MiB, no value of more than 64 MiB (written out) or
/// nested more than 1,000 deep, no integer of more than 4,096 digits; all that it holds at once takes at most 256 MiB.
pub struct TransformHandler {
    filters: Arc<Mutex<HashMap<String, Arc<Filter>>>>,
    max_steps: u64,
}

impl Default for TransformHandler {
    fn default() -> Self {
        Self::with_max_steps(MAX_STEPS)
    }
}

impl TransformHandler {
    /// A handler whose filters make at most so many steps.
    pub fn with_max_steps(max_steps: u64) -> Self {
        Self { filters: Arc::default(), max_steps }
    }

    async fn transform(&self, step: &StepContext) -> Result<Outcome, Misconfigured> {
        let config = Config::of(step.config())?;
        let remedy = "write a jq filter such as .steps.quote.price * .context.amount";
        let text = config.required_text("filter", remedy)?.to_owned();
        let collects = config.flag("collect")?.unwrap_or(false);
        let filters = Arc::clone(&self.filters);
        let (input, max_steps) = (input(step), self.max_steps);
        let guard = Stop::default();
        let stopped = Arc::clone(&guard.0);
        let (reply, answer) = oneshot::channel();
        let started = std::thread::Builder::new()
            .name("tasker-transform".into())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let outputs = compiled(&filters, &text).map(|filter| filter.run(&input, max_steps, &stopped));
                // Nobody waits any more if the attempt has ended.
                let _ = reply.send(outputs);
            });
        if let Err(error) = started {
            let message = format!("a thread for the filter could not be started: {error}");
            let failure = Failure::new(FailureKind::Retryable, message);
            return Ok(Outcome::Retry { failure, when: None });
        }
        let answered = tokio::select! {
            answered = answer => answered,
            () = step.cancellation().cancelled() => {
                let failure = Failure::new(FailureKind::Retryable, "the filter was stopped: its attempt was cancelled");
                return Ok(Outcome::Retry { failure: failure.with_code("CANCELLED"), when: None });
            }
        };
        match answered {
            Ok(outputs) => Ok(outcome(outputs?, collects)),
            Err(_) => {
                Ok(Outcome::Fail(Failure::new(FailureKind::Panic, "the filter made its interpreter panic")))
            }
        }
    }
}

#[async_trait]
impl StepHandler for TransformHandler {
    async fn run(&self, step: &StepContext) -> Outcome {
        self.transform(step).await.unwrap_or_else(Outcome::from)
    }

    /// What is inserted into a filter would be run as a part of it; it has `.context` and `.steps` instead.
    fn takes_verbatim(&self, key: &str, _: &Value) -> bool {
        key == "filter"
    }
}

impl fmt::Debug for TransformHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransformHandler").finish_non_exhaustive()
    }
}

/// Stops the filter when nobody waits for it any more.
#[derive(Default)]
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn input(step: &StepContext) -> Value {
    let steps: serde_json::Map<String, Value> =
        step.dependencies().map(|(name, results)| (name.to_string(), results.clone())).collect();
    json!({ "context": step.context(), "steps": steps, "config": step.config() })
}

fn compiled(filters: &Mutex<HashMap<String, Arc<Filter>>>, text: &str) -> Result<Arc<Filter>, Misconfigured> {
    let known = filters.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned();
    if let Some(filter) = known {
        return Ok(filter);
    }
    let filter = Arc::new(Filter::compile(text).map_err(|error| unreadable(&error))?);
    let mut filters = filters.lock().unwrap_or_else(PoisonError::into_inner);
    if filters.len() >= KEPT {
        filters.clear();
    }
    filters.insert(text.to_owned(), Arc::clone(&filter));
    Ok(filter)
}

fn unreadable(error: &CompileError) -> Misconfigured {
    Misconfigured(match error {
        CompileError::Wrong { .. } => format!("handler_config.filter, {error}"),
        CompileError::Modules => format!("handler_config.filter: {error}"),
        CompileError::TooLong => format!("handler_config.filter: {error}; use a command"),
    })
}

fn outcome(outputs: Result<Vec<Value>, RunError>, collects: bool) -> Outcome {
    let failed =
        |kind, message: String, code: &str| Outcome::Fail(Failure::new(kind, message).with_code(code));
    match outputs {
        Ok(outputs) if collects => Outcome::Done(Value::Array(outputs)),
        Ok(mut outputs) if outputs.len() <= 1 => Outcome::Done(outputs.pop().unwrap_or(Value::Null)),
        Ok(_) => failed(
            FailureKind::Permanent,
            "the filter has several outputs; put it in brackets, or write `collect: true`".to_owned(),
            "TRANSFORM_OUTPUTS",
        ),
        Err(error) => failed(FailureKind::Permanent, error.to_string(), code(&error)),
    }
}

fn code(error: &RunError) -> &'static str {
    match error {
        RunError::Failed(_) => "TRANSFORM_FAILED",
        RunError::Limit(Limit::Steps(_) | Limit::Stack | Limit::Stopped | Limit::Time) => "TRANSFORM_LIMIT",
        RunError::Limit(Limit::Text | Limit::Value | Limit::Memory | Limit::Depth | Limit::Digits)
        | RunError::TooDeep
        | RunError::TooLarge => "TRANSFORM_TOO_LARGE",
    }
}

#[cfg(test)]
mod tests;
