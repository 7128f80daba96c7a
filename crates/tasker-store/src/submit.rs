//! Tasks to be made.

use std::time::Duration;

use serde_json::Value;
use tasker_core::{OnDuplicate, TaskId, Timestamp};

use crate::template::PlanId;

/// A task to be made. Its steps follow from its plan; roots are ready at once, whenever it was asked for.
///
/// Any text may be in its JSON; the other texts hold no NUL character, which not every database stores.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// The id it will have.
    pub id: TaskId,
    /// What it runs.
    pub plan: PlanId,
    /// Its context, already validated, with defaults inserted.
    pub context: Value,
    /// Who asked for it.
    pub initiator: String,
    /// From which system.
    pub source_system: String,
    /// Why.
    pub reason: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Names of steps that the caller wants bypassed; kept with the task.
    pub bypass_steps: Vec<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// What it belongs to.
    pub origin: Origin,
    /// What makes it the same as another.
    pub identity: Option<Identity>,
}

/// What a task belongs to, as those who asked for it named it: for people and for tools that follow a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// What all that was caused by one request has in common.
    pub correlation_id: Option<String>,
    /// The span that asked for it, as [W3C Trace Context](https://www.w3.org/TR/trace-context/) writes it.
    pub traceparent: Option<String>,
}

/// What makes two tasks the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// At most 128 characters.
    pub hash: String,
    /// How long after a task was made an equal one counts as its duplicate: as long as that time plus `window` is
    /// after the present, both by the store's clock, whatever `requested_at` says. `None` is for as long as the
    /// first one is kept, ended or not. The window is that of the submission at hand; the first one's does not
    /// count.
    pub window: Option<Duration>,
    /// What to do about a duplicate.
    pub on_duplicate: OnDuplicate,
}

/// What became of one task of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It was made.
    Created(TaskId),
    /// An equal one existed, and is returned in its stead: of several the one made last, of those the one with the
    /// greatest id.
    Existing(TaskId),
}

impl Submitted {
    /// The task, new or not.
    pub fn id(self) -> TaskId {
        match self {
            Self::Created(id) | Self::Existing(id) => id,
        }
    }
}

/// Why a submission was refused as a whole. Nothing of it was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// An equal task exists, and the submission asked to refuse duplicates.
    #[error("task {index} of the submission is a duplicate of {existing}")]
    Duplicate {
        /// Its place in the submission, from 0.
        index: usize,
        /// The task that exists.
        existing: TaskId,
    },
    /// A task with this id exists.
    #[error("task {index} of the submission has the id of an existing task, {id}")]
    IdTaken {
        /// Its place in the submission, from 0.
        index: usize,
        /// The id.
        id: TaskId,
    },
    /// The plan is not stored.
    #[error("task {index} of the submission names a plan that is not stored")]
    UnknownPlan {
        /// Its place in the submission, from 0.
        index: usize,
    },
}
