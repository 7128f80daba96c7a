//! What a task went through, read from its history: runs, in them steps, in those waits and attempts.
//!
//! [`mod@chapters`] finds where runs begin and end, [`mod@course`] follows the steps through them.

mod chapters;
mod course;

use std::collections::BTreeMap;

use serde_json::Value;
use tasker_core::{State, TaskTemplate, Timestamp};
use tasker_store::{Cause, Transition};

pub use chapters::is_verdict;
use chapters::{Chapter, chapters};
use course::Course;

/// A transition, and when it happened: never before the one before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) at: Timestamp,
    pub(crate) transition: &'a Transition,
}

/// What a task went through.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    /// When it was submitted.
    pub(crate) start: Timestamp,
    /// The last that happened.
    pub(crate) end: Timestamp,
    pub(crate) runs: Vec<Run<'a>>,
    /// What was done to it outside of runs.
    pub(crate) between: Vec<Moment<'a>>,
}

/// A run: from submission or retry to the verdict.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// Counted from 1.
    pub(crate) number: u32,
    pub(crate) trigger: Trigger,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// The state it led to; `None` while it goes on.
    pub(crate) verdict: Option<State>,
    /// What happened to the task.
    pub(crate) moments: Vec<Moment<'a>>,
    /// The steps that had a part in it, by ordinal.
    pub(crate) steps: BTreeMap<u32, Part<'a>>,
}

/// What began a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    Created,
    RetryRequested,
}

/// The part of a step in a run.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// When it was ready, or else when something was done to it.
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// Its state in the end.
    pub(crate) state: State,
    /// Whether it goes on.
    pub(crate) is_open: bool,
    pub(crate) moments: Vec<Moment<'a>>,
    pub(crate) waits: Vec<Wait>,
    pub(crate) attempts: Vec<Attempt<'a>>,
    /// The steps it depends on, as far as they have done their part.
    pub(crate) bases: Vec<Basis>,
}

/// Where the result that a step depends on comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// The final attempt of a step.
    Attempt { ordinal: u32, attempt: u32 },
    /// A step that was resolved before it was tried, in the run of this number.
    Step { ordinal: u32, run: u32 },
}

/// A wait for an attempt.
#[derive(Debug)]
pub(crate) struct Wait {
    /// The attempt waited for.
    pub(crate) attempt: u32,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) cause: WaitCause,
    pub(crate) is_open: bool,
}

/// Since when a step waits for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitCause {
    /// Since all that it depends on was done.
    Ready,
    /// Since an attempt failed: its backoff, then the queue.
    RetryDue,
    /// Since its handler asked to be called later.
    Snoozed,
    /// Since someone asked for another attempt.
    RetryRequested,
}

/// An attempt.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) number: u32,
    /// The attempt before, in this run or an earlier one.
    pub(crate) previous: Option<u32>,
    /// How long the step had waited since then, if that was a backoff.
    pub(crate) delay: Option<std::time::Duration>,
    pub(crate) worker: Option<&'a str>,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// How it ended; `None` while it goes on.
    pub(crate) outcome: Option<Outcome>,
    /// The failure, as it was recorded.
    pub(crate) failure: &'a Value,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    Error,
    Lost,
    Snoozed,
    Cancelled,
}

impl<'a> Story<'a> {
    /// Reads a history, which is in order; `None` if it is empty.
    pub(crate) fn read(template: &TaskTemplate, history: &'a [Transition]) -> Option<Self> {
        let moments = moments(history);
        let (start, end) = (moments.first()?.at, moments.last()?.at);
        let mut course = Course::new(template);
        let mut story = Self { start, end, runs: Vec::new(), between: Vec::new() };
        for chapter in chapters(&moments) {
            match chapter {
                Chapter::Run(moments) => {
                    let number = u32::try_from(story.runs.len() + 1).unwrap_or(u32::MAX);
                    story.runs.extend(course.run(number, moments));
                }
                Chapter::Between(moments) => {
                    course.skip(moments);
                    story.between.extend_from_slice(moments);
                }
            }
        }
        Some(story)
    }
}

/// The transitions with times that do not go back, so that what comes later lies later.
fn moments(history: &[Transition]) -> Vec<Moment<'_>> {
    let mut latest = history.first().map_or(Timestamp::default(), |first| first.at);
    let moments = history.iter().map(|transition| {
        latest = latest.max(transition.at);
        Moment { at: latest, transition }
    });
    moments.collect()
}

impl Outcome {
    /// How an attempt ended whose step went from in progress to `to`.
    fn of(to: State, cause: Cause) -> Self {
        match to {
            _ if cause == Cause::LeaseExpired => Self::Lost,
            State::Complete => Self::Completed,
            State::Error => Self::Error,
            State::Pending | State::InProgress => Self::Snoozed,
            State::Cancelled | State::ResolvedManually => Self::Cancelled,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Lost => "lost",
            Self::Snoozed => "snoozed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Trigger {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::RetryRequested => "retry_requested",
        }
    }
}

impl WaitCause {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::RetryDue => "retry_due",
            Self::Snoozed => "snoozed",
            Self::RetryRequested => "retry_requested",
        }
    }
}
