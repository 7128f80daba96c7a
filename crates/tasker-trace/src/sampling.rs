//! Which tasks have a trace.

use std::time::Duration;

use tasker_core::{State, TaskId};
use tasker_store::TaskBrief;

use crate::context::{Sampled, TraceContext};

/// Which tasks have a trace.
///
/// There are two decisions. The one at the *head* is made before a step runs, by the id of the task alone or by what
/// its submitter says, so that every process makes the same: it decides whether what handlers do is recorded while
/// they do it. The one at the *tail* is made when the task has ended, and decides whether the trace that follows from
/// its record is written: always if it failed or was slow, else as at the head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    threshold: u64,
    slow: Option<Duration>,
}

/// A ratio that is none.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("ratio {0} cannot be used: write a number from 0 (no task) to 1 (every task)")]
pub struct InvalidRatio(pub f64);

impl Sampling {
    /// One task in so many, chosen by its id. Tasks that take longer than `slow` are written in any case.
    ///
    /// # Errors
    ///
    /// [`InvalidRatio`] if the ratio is not between 0 and 1.
    pub fn new(ratio: f64, slow: Option<Duration>) -> Result<Self, InvalidRatio> {
        if !(0.0..=1.0).contains(&ratio) {
            return Err(InvalidRatio(ratio));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a product of 0 to 1 and 2^63 fits"
        )]
        let threshold = (ratio * (1u64 << 63) as f64) as u64;
        Ok(Self { threshold, slow })
    }

    /// Whether what handlers do in this task is recorded: by its id, or because its submitter records.
    ///
    /// As the sampler by trace id and ratio of OpenTelemetry, it compares 63 bits of the lower half of the id with
    /// the ratio; the two bits that are the same in every UUID are left out, without which a ratio under one half
    /// would take none.
    pub fn is_sampled_at_head(&self, task: TaskId, submitter: Option<&TraceContext>) -> Sampled {
        let (_, low) = task.as_uuid().as_u64_pair();
        let place = (low << 2) >> 1;
        if place < self.threshold || submitter.is_some_and(|submitter| submitter.sampled.is_yes()) {
            Sampled::Yes
        } else {
            Sampled::No
        }
    }

    /// Whether the trace of a task that has ended is written: if it failed, if it was slow, or as at the head.
    pub fn is_written(&self, task: &TaskBrief, submitter: Option<&TraceContext>) -> bool {
        let is_slow = task
            .ended_at
            .zip(self.slow)
            .is_some_and(|(ended_at, slow)| ended_at.since(task.requested_at) >= slow);
        has_failed(task.state) || is_slow || self.is_sampled_at_head(task.id, submitter).is_yes()
    }
}

/// Whether a task in this state has been in error.
fn has_failed(state: State) -> bool {
    match state {
        State::Error | State::ResolvedManually => true,
        State::Pending | State::InProgress | State::Complete | State::Cancelled => false,
    }
}

/// Nothing at the head; at the tail what failed.
impl Default for Sampling {
    fn default() -> Self {
        Self { threshold: 0, slow: None }
    }
}
