//! What happened: the append-only, ordered record of every change of state.

mod packed;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tasker_core::{State, StepId, TaskId, Timestamp};

/// One recorded change of state, of a task or of a step.
///
/// A task's first is from `None`; a step begins as pending without one. A step whose backoff ended has two
/// when it is claimed: `error → pending`, cause `retry_due`, and the claim, both with the number of the
/// attempt that begins. Within a commit a task that starts comes before its steps' claims, and a verdict on a
/// task after what led to it. A task that leaves `error` because of a command goes to pending, cause
/// `retry_requested`, and if it is complete by that goes on to in progress and complete at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// Its place in the order of all; gaps mean nothing.
    pub seq: i64,
    /// The task.
    pub task: TaskId,
    /// The step, if it is a step's.
    pub step: Option<StepId>,
    /// The attempt, if it belongs to one: with claims and ends of attempts, not with commands.
    pub attempt: Option<u32>,
    /// The state before; `None` when the task was made.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// When.
    pub at: Timestamp,
    /// Who: with a claim the worker's id; with a command, and with what follows from it at once, the name
    /// given with it; otherwise nobody.
    pub by: Option<String>,
    /// Further facts: the failure of an attempt as its JSON, the reason of a command as `{"reason": …}`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

/// A stretch of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The transitions, in order.
    pub transitions: Vec<Transition>,
    /// Where to go on reading. Nothing will ever appear at or before it.
    pub next: i64,
}

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a state changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Cause { $($(#[$doc])* $variant,)* }

        impl Cause {
            /// Every cause.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

causes! {
    /// The task was submitted.
    Submitted = "submitted",
    /// A step was claimed by a worker.
    Claimed = "claimed",
    /// The first step of a task was claimed.
    Started = "started",
    /// A handler was done; or the last step of a task ended.
    Completed = "completed",
    /// A handler failed.
    Failed = "failed",
    /// The lease of an attempt ran out.
    LeaseExpired = "lease_expired",
    /// A handler asked to be called later.
    Snoozed = "snoozed",
    /// A backoff ended.
    RetryDue = "retry_due",
    /// Someone asked for another attempt.
    RetryRequested = "retry_requested",
    /// Nothing of the task can run any more.
    Blocked = "blocked",
    /// Someone cancelled it.
    Cancelled = "cancelled",
    /// Its task was cancelled.
    TaskCancelled = "task_cancelled",
    /// Someone resolved it.
    Resolved = "resolved",
    /// Its task was resolved.
    TaskResolved = "task_resolved",
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is the name of no cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown cause {0:?}")]
pub struct UnknownCause(pub String);

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(text: &str) -> Result<Self, UnknownCause> {
        Self::ALL
            .iter()
            .copied()
            .find(|cause| cause.as_str() == text)
            .ok_or_else(|| UnknownCause(text.to_owned()))
    }
}
