//! What keeps a step where it is, in data.

use serde::Serialize;
use tasker_core::{State, Timestamp, WorkerId};
use tasker_store::Pause;

/// One reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// It waits for other steps.
    UnmetDependencies {
        /// Their names and states.
        steps: Vec<(String, State)>,
    },
    /// Its latest attempt failed, and the next one is not due.
    Backoff {
        /// When it is due.
        until: Timestamp,
        /// The attempt that failed.
        attempt: u32,
        /// What went wrong.
        message: Option<String>,
    },
    /// It waits for a time.
    Scheduled {
        /// When.
        until: Timestamp,
    },
    /// It is ready, and no live worker offers its handler.
    NoWorker {
        /// The handler.
        handler: String,
        /// The queue.
        queue: String,
    },
    /// It is ready, and workers that would take it are there: they are busy with other steps.
    WaitingForWorker {
        /// Since when it is ready.
        since: Timestamp,
        /// How many workers would take it.
        workers: usize,
    },
    /// Its task is paused.
    TaskPaused(
        /// By whom, since when, why.
        PausedBy,
    ),
    /// Its namespace is paused.
    NamespacePaused(
        /// By whom, since when, why.
        PausedBy,
    ),
    /// A worker is at it.
    Leased {
        /// The worker.
        worker: WorkerId,
        /// Its name, if it is registered.
        worker_name: Option<String>,
        /// Until when its lease holds.
        until: Timestamp,
        /// The attempt.
        attempt: u32,
    },
    /// A worker was at it and has not been heard of: its lease has run out, and nobody settled it since.
    LeaseExpired {
        /// The worker.
        worker: WorkerId,
        /// Its name, if it is registered.
        worker_name: Option<String>,
        /// When its lease ran out.
        until: Timestamp,
        /// The attempt.
        attempt: u32,
        /// How many attempts may be made after it.
        attempts_left: u32,
    },
    /// It failed, and no attempt is left.
    Exhausted {
        /// How many attempts were made.
        attempts: u32,
        /// What went wrong.
        message: Option<String>,
    },
    /// It failed in a way that no other attempt would help.
    PermanentFailure {
        /// What went wrong.
        message: Option<String>,
    },
    /// It has ended.
    Ended,
}

/// Who paused something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PausedBy {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub why: Option<String>,
}

impl From<&Pause> for PausedBy {
    fn from(pause: &Pause) -> Self {
        Self { by: pause.by.clone(), at: pause.at, why: pause.reason.clone() }
    }
}

impl Reason {
    /// Whether a reason lies with the step itself, and not with the steps before it.
    pub(super) fn is_root_cause(&self) -> bool {
        match self {
            Self::UnmetDependencies { steps } => {
                // A step that was cancelled will never let its dependents run.
                steps.iter().any(|(_, state)| *state == State::Cancelled)
            }
            Self::Ended => false,
            Self::Backoff { .. }
            | Self::Scheduled { .. }
            | Self::NoWorker { .. }
            | Self::WaitingForWorker { .. }
            | Self::TaskPaused(_)
            | Self::NamespacePaused(_)
            | Self::Leased { .. }
            | Self::LeaseExpired { .. }
            | Self::Exhausted { .. }
            | Self::PermanentFailure { .. } => true,
        }
    }
}
