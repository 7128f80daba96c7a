//! The edge where handlers plug in.

use async_trait::async_trait;
use serde_json::Value;
use tasker_core::Outcome;

use crate::context::StepContext;

/// Runs the attempts of steps.
///
/// A handler answers every attempt with an [`Outcome`]; it need not catch panics nor watch the clock, the runner
/// does. Most handlers are written as a [`TypedHandler`](crate::TypedHandler) or a closure
/// ([`handler_fn`](crate::handler_fn)), which take and give values of their own types. See the
/// [crate's page](crate) for one built from nothing.
///
/// # Cancel safety
///
/// When its time is up, its lease is lost or the worker shuts down, an attempt's
/// [cancellation](StepContext::cancellation) is triggered; a handler that has not ended after a grace period is
/// dropped at its next await.
#[async_trait]
pub trait StepHandler: Send + Sync {
    /// Makes one attempt.
    async fn run(&self, step: &StepContext) -> Outcome;

    /// What is to be read from the store before an attempt.
    fn wants_inputs(&self) -> InputNeed {
        InputNeed::ContextAndDependencies
    }

    /// Where attempts run.
    fn placement(&self) -> Placement {
        Placement::Task
    }

    /// Whether the value under a key of `handler_config` is passed on as it was written, with `{{ … }}` and
    /// `${…}` in it.
    fn takes_verbatim(&self, key: &str, value: &Value) -> bool {
        let _ = (key, value);
        false
    }
}

/// What is to be read from the store before an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InputNeed {
    /// Nothing: the step's configuration and ids are enough.
    None,
    /// The context of the task and the results of the steps it depends on.
    #[default]
    ContextAndDependencies,
    /// What happened to the step before this attempt; nothing is read for a first attempt.
    History,
}

/// Where attempts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Placement {
    /// In a task of their own.
    #[default]
    Task,
    /// In the runner's own task: for handlers that answer at once, without an await, a lock or a long
    /// computation. An attempt that awaits all the same is moved to a task of its own.
    Inline,
}
