//! The six states, and which may follow which.
//!
//! The tables are the source of `docs/reference/transitions.md`; the stores repeat them as CHECK
//! constraints and as conditions of every UPDATE.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The state of a task or of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not begun, or waiting to be begun again.
    Pending,
    /// At work.
    InProgress,
    /// Ended well.
    Complete,
    /// Failed: a step waits for its retry or for help, a task is blocked by its failed steps.
    Error,
    /// Ended because someone said so.
    Cancelled,
    /// Declared done by a person.
    ResolvedManually,
}

impl State {
    /// Every state, in the order of the enum.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::InProgress,
        Self::Complete,
        Self::Error,
        Self::Cancelled,
        Self::ResolvedManually,
    ];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Complete => "complete",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::ResolvedManually => "resolved_manually",
        }
    }

    /// Whether nothing more will happen by itself and nobody can retry.
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Complete | Self::Cancelled | Self::ResolvedManually => true,
            Self::Pending | Self::InProgress | Self::Error => false,
        }
    }

    /// Whether a step in this state lets the steps after it run.
    pub const fn satisfies_dependents(self) -> bool {
        match self {
            Self::Complete | Self::ResolvedManually => true,
            Self::Pending | Self::InProgress | Self::Error | Self::Cancelled => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is the name of no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown state {0:?}: expected pending, in_progress, complete, error, cancelled or resolved_manually"
)]
pub struct UnknownState(pub String);

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

/// Declares events, with their names and with what each means in the words of its comment.
macro_rules! events {
    ($(#[doc = $about:literal] $Event:ident { $(#[doc = $meaning:literal] $variant:ident = $name:literal,)* })*) => {$(
        #[doc = $about]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $Event { $(#[doc = $meaning] $variant,)* }

        impl $Event {
            /// Every event, in the order of the enum.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning.trim(),)* }
            }
        }
    )*};
}

events! {
    /// What can happen to a task.
    TaskEvent {
        /// Its first step was claimed.
        Start = "start",
        /// Its last step ended.
        Complete = "complete",
        /// Nothing can run any more and not every step has ended.
        Block = "block",
        /// A failed step was given another chance.
        Retry = "retry",
        /// Someone called it off.
        Cancel = "cancel",
        /// A person declared it done.
        Resolve = "resolve",
    }

    /// What can happen to a step.
    StepEvent {
        /// A worker took a lease on it.
        Claim = "claim",
        /// Its handler was done.
        Complete = "complete",
        /// Its handler failed, or its worker went away.
        Fail = "fail",
        /// Its handler asked to be called later.
        Snooze = "snooze",
        /// It gets another attempt, because its backoff ended or someone said so.
        Retry = "retry",
        /// Someone called it off.
        Cancel = "cancel",
        /// A person declared it done.
        Resolve = "resolve",
    }
}

/// An event that may not happen in the present state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject} is {from}: it cannot {event}")]
pub struct IllegalTransition {
    /// Which task or step.
    pub subject: String,
    /// The state it is in.
    pub from: State,
    /// What was tried, as a verb.
    pub event: &'static str,
}

impl State {
    /// The state of a task after `event`, or `None` if that may not happen now.
    pub const fn task_after(self, event: TaskEvent) -> Option<Self> {
        use State::{Cancelled, Complete, Error, InProgress, Pending, ResolvedManually};
        match (self, event) {
            (Pending, TaskEvent::Start) => Some(InProgress),
            (InProgress, TaskEvent::Complete) => Some(Complete),
            (Pending | InProgress, TaskEvent::Block) => Some(Error),
            (Error, TaskEvent::Retry) => Some(Pending),
            (Pending | InProgress | Error | Complete | ResolvedManually, TaskEvent::Cancel) => {
                Some(Cancelled)
            }
            (Error, TaskEvent::Resolve) => Some(ResolvedManually),
            (
                Complete | Cancelled | ResolvedManually,
                TaskEvent::Start | TaskEvent::Complete | TaskEvent::Block | TaskEvent::Retry,
            )
            | (InProgress, TaskEvent::Start | TaskEvent::Retry | TaskEvent::Resolve)
            | (Error, TaskEvent::Start | TaskEvent::Complete | TaskEvent::Block)
            | (Pending, TaskEvent::Complete | TaskEvent::Retry)
            | (Cancelled, TaskEvent::Cancel)
            | (Pending | Complete | Cancelled | ResolvedManually, TaskEvent::Resolve) => None,
        }
    }

    /// The state of a step after `event`, or `None` if that may not happen now.
    pub const fn step_after(self, event: StepEvent) -> Option<Self> {
        use State::{Cancelled, Complete, Error, InProgress, Pending, ResolvedManually};
        match (self, event) {
            (Pending, StepEvent::Claim) => Some(InProgress),
            (InProgress, StepEvent::Complete) => Some(Complete),
            (Pending | InProgress, StepEvent::Fail) => Some(Error),
            (InProgress, StepEvent::Snooze) | (Error, StepEvent::Retry) => Some(Pending),
            (Pending | InProgress | Error, StepEvent::Cancel) => Some(Cancelled),
            (Pending | Error, StepEvent::Resolve) => Some(ResolvedManually),
            (Complete | Cancelled | ResolvedManually, _)
            | (InProgress | Error, StepEvent::Claim)
            | (Pending | Error, StepEvent::Complete | StepEvent::Snooze)
            | (Error, StepEvent::Fail)
            | (Pending | InProgress, StepEvent::Retry)
            | (InProgress, StepEvent::Resolve) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// One row per state, one letter per event: the first letter of the state that follows.
    fn picture<E: Copy>(events: &[E], after: impl Fn(State, E) -> Option<State>) -> String {
        let mut text = String::new();
        for state in State::ALL {
            let cells = events.iter().map(|event| match after(state, *event) {
                Some(next) => next.as_str()[..1].to_owned(),
                None => "-".to_owned(),
            });
            writeln!(text, "{state:18}{}", cells.collect::<Vec<_>>().join(" ")).expect("text takes all");
        }
        text
    }

    #[test]
    fn a_task_moves_as_the_table_says() {
        insta::assert_snapshot!(picture(&TaskEvent::ALL, State::task_after), @r"
        pending           i - e - c -
        in_progress       - c e - c -
        complete          - - - - c -
        error             - - - p c r
        cancelled         - - - - - -
        resolved_manually - - - - c -
        ");
    }

    #[test]
    fn a_step_moves_as_the_table_says() {
        insta::assert_snapshot!(picture(&StepEvent::ALL, State::step_after), @r"
        pending           i - e - - c r
        in_progress       - c e p - c -
        complete          - - - - - - -
        error             - - - - p c r
        cancelled         - - - - - - -
        resolved_manually - - - - - - -
        ");
    }

    #[test]
    fn every_state_reads_back_its_own_name() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("done".parse::<State>().is_err());
    }
}
