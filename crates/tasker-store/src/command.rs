//! What a person or a program may ask of tasks and steps that exist.

use serde_json::Value;
use tasker_core::{IllegalTransition, Namespace, State, StepId, TaskId};

/// A task, or one of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The whole task.
    Task(TaskId),
    /// One step.
    Step(StepId),
}

impl Target {
    /// The task meant, or the task of the step meant.
    pub fn task(self) -> TaskId {
        match self {
            Self::Task(id) => id,
            Self::Step(id) => id.task(),
        }
    }
}

/// How many attempts a retried step gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempts {
    /// As many as its template gives, counted anew: the limit becomes the attempts made plus those.
    Reset,
    /// So many more than were made, at least one; the limit never becomes less by it.
    Extend(u32),
}

/// A command. `by` names who gives it, for the record.
///
/// What is cancelled, retried or resolved is recorded as transitions; pauses and updates are not. After each
/// command on a step, and after each retry, the task is judged: with no unfinished step it is complete; with
/// none active it is in error; if it was in error and has active steps again it is pending.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Calls off a task with every step that has not ended, or one step. A task that is complete or resolved
    /// can still be called off, once; its steps stay as they are.
    Cancel {
        /// What.
        target: Target,
        /// Who says so.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// Gives failed steps another attempt, now: one step, or all that failed in a task, those that wait for
    /// their backoff included.
    Retry {
        /// What.
        target: Target,
        /// How many attempts they get.
        attempts: Attempts,
        /// Who says so.
        by: String,
    },
    /// Declares a step done, as if it had completed with `results`; or a task in error, whose steps that
    /// have not ended are cancelled.
    Resolve {
        /// What.
        target: Target,
        /// What the step would have produced; not for tasks.
        results: Option<Value>,
        /// Who says so.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// Lets no further step of a task be claimed. What runs, runs on, and may end the task. Only a task that
    /// has not ended can be paused; a pause can be ended at any time.
    Pause {
        /// The task.
        task: TaskId,
        /// Who says so.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// Ends a pause.
    Resume {
        /// The task.
        task: TaskId,
        /// Who says so.
        by: String,
    },
    /// Lets no further step of a namespace be claimed.
    PauseNamespace {
        /// The namespace.
        namespace: Namespace,
        /// Who says so.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// Ends a pause.
    ResumeNamespace {
        /// The namespace.
        namespace: Namespace,
        /// Who says so.
        by: String,
    },
    /// Changes the inputs or the retry limit of a step that has not ended. The limit counts when an attempt
    /// fails: raising it does not wake a step that is blocked, lowering it does not call off a retry that waits.
    UpdateStep {
        /// The step.
        step: StepId,
        /// New inputs, which the handler sees in place of the task's context. Null is a value.
        inputs: Option<Value>,
        /// The last attempt that may be made.
        retry_limit: Option<u32>,
        /// Who says so.
        by: String,
    },
    /// Changes what describes a task, in any state.
    UpdateTask {
        /// The task.
        task: TaskId,
        /// A new reason.
        reason: Option<String>,
        /// New tags.
        tags: Option<Vec<String>>,
        /// Who says so.
        by: String,
    },
}

impl Command {
    /// The task that it is about; `None` if it is about a namespace.
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Self::Cancel { target, .. } | Self::Retry { target, .. } | Self::Resolve { target, .. } => {
                Some(target.task())
            }
            Self::Pause { task, .. } | Self::Resume { task, .. } | Self::UpdateTask { task, .. } => {
                Some(*task)
            }
            Self::UpdateStep { step, .. } => Some(step.task()),
            Self::PauseNamespace { .. } | Self::ResumeNamespace { .. } => None,
        }
    }

    /// Whether steps at work may lose their leases by it.
    pub fn takes_leases(&self) -> bool {
        matches!(self, Self::Cancel { .. } | Self::Resolve { .. })
    }
}

/// What a command changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// How many steps it changed; of a pause or its end, how many steps of the task have not ended.
    pub steps: u32,
    /// The state of the task after it, if it was about a task.
    pub task_state: Option<State>,
}

/// Why a command was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// There is no such task or step.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The present state does not allow it.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// No step of the task has failed.
    #[error("{0} has no failed step to retry")]
    NothingToRetry(TaskId),
    /// It is already as asked.
    #[error("{0}")]
    Already(String),
}

/// The refusals in the words that every store uses.
impl CommandError {
    /// There is no such task.
    pub fn no_task(id: TaskId) -> Self {
        Self::NotFound(format!("task {id}"))
    }

    /// There is no such step.
    pub fn no_step(id: StepId) -> Self {
        Self::NotFound(format!("step {id}"))
    }

    /// The state of a task or step does not allow it; `verb` is such as `be cancelled`.
    pub fn illegal(target: Target, from: State, verb: &'static str) -> Self {
        let subject = match target {
            Target::Task(id) => format!("task {id}"),
            Target::Step(id) => format!("step {id}"),
        };
        Self::Illegal(IllegalTransition { subject, from, event: verb })
    }

    /// The task or namespace is paused already.
    pub fn already_paused(subject: &str) -> Self {
        Self::Already(format!("{subject} is already paused"))
    }

    /// The task or namespace is not paused.
    pub fn not_paused(subject: &str) -> Self {
        Self::Already(format!("{subject} is not paused"))
    }
}
