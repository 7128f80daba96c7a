//! Where the steps of a running task are: folded from its transitions, so that nothing is read again for it.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tasker_core::{Failure, FailureKind, State, StepId, TaskId, TaskTemplate, Timestamp};
use tasker_engine::TaskView;
use tasker_store::{Cause, StepRecord, Transition};

/// Where the steps of a running task are.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) task: TaskId,
    pub(crate) template: Arc<TaskTemplate>,
    pub(crate) state: State,
    pub(crate) steps: Vec<Standing>,
}

/// Where one step is.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) state: State,
    pub(crate) attempt: u32,
    /// The last attempt that may be made.
    pub(crate) limit: u32,
    /// When the latest attempt began.
    pub(crate) started: Option<Timestamp>,
    /// When it ended.
    pub(crate) ended: Option<Timestamp>,
    /// When the next attempt is due.
    pub(crate) due: Option<Timestamp>,
    /// What went wrong in the latest attempt.
    pub(crate) failure: Option<String>,
    /// Whether no further attempt will be made by itself.
    pub(crate) is_final: bool,
}

impl Board {
    pub(crate) fn of(view: &TaskView) -> Self {
        Self {
            task: view.task.id,
            template: Arc::clone(&view.template),
            state: view.task.state,
            steps: view.steps.iter().map(Standing::of).collect(),
        }
    }

    /// Takes note of a transition.
    pub(crate) fn apply(&mut self, transition: &Transition) {
        let Some(id) = transition.step else {
            self.state = transition.to;
            return;
        };
        let Some(step) = self.steps.get_mut(id.ordinal() as usize) else { return };
        step.state = transition.to;
        step.attempt = transition.attempt.unwrap_or(step.attempt);
        step.due = None;
        match transition.cause {
            Cause::Claimed => (step.started, step.ended) = (Some(transition.at), None),
            Cause::Snoozed => {
                step.limit = step.limit.saturating_add(1);
                step.ended = Some(transition.at);
            }
            Cause::Completed
            | Cause::Failed
            | Cause::LeaseExpired
            | Cause::Cancelled
            | Cause::TaskCancelled
            | Cause::Resolved
            | Cause::TaskResolved => step.ended = Some(transition.at),
            // The first two leave the times of the latest attempt; the others are causes of tasks.
            Cause::RetryDue | Cause::RetryRequested | Cause::Submitted | Cause::Started | Cause::Blocked => {}
        }
        let failure = Failure::deserialize(&transition.details).ok();
        step.is_final =
            failure.as_ref().is_some_and(|failure| step.attempt >= step.limit || is_permanent(failure));
        step.failure = failure.map(|failure| failure.message);
    }

    /// Corrects where a step is by what the store says: transitions do not tell when an attempt is due.
    pub(crate) fn correct(&mut self, record: &StepRecord) {
        if let Some(step) = self.steps.get_mut(record.id.ordinal() as usize)
            && step.state == record.state
        {
            *step = Standing::of(record);
        }
    }

    pub(crate) fn name(&self, step: StepId) -> &str {
        self.template.steps.get(step.ordinal() as usize).map_or("?", |step| step.name.as_str())
    }

    pub(crate) fn standing(&self, step: StepId) -> Option<&Standing> {
        self.steps.get(step.ordinal() as usize)
    }

    /// How many steps are complete or resolved.
    pub(crate) fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.state.satisfies_dependents()).count()
    }
}

impl Standing {
    fn of(step: &StepRecord) -> Self {
        Self {
            state: step.state,
            attempt: step.attempts,
            limit: step.retry_limit,
            started: step.started_at,
            ended: step.ended_at,
            due: step.ready_at.filter(|_| step.attempts > 0),
            failure: step.failure.as_ref().map(|failure| failure.message.clone()),
            is_final: step.state == State::Error && step.ready_at.is_none(),
        }
    }

    /// How long the latest attempt took, or has taken until `now`.
    pub(crate) fn took(&self, now: Timestamp) -> Option<Duration> {
        Some(self.ended.unwrap_or(now).since(self.started?))
    }
}

fn is_permanent(failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::Permanent | FailureKind::Configuration => true,
        FailureKind::Retryable | FailureKind::Panic | FailureKind::Timeout | FailureKind::LeaseExpired => {
            false
        }
    }
}
