//! How far a task is, from the tally of its steps.

use serde::Serialize;

use crate::readiness::{Readiness, StepFacts, readiness};
use crate::state::State;
use crate::time::Timestamp;

/// How many steps of a task are in which condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StepTally {
    /// All steps.
    pub total: u32,
    /// In state `pending`.
    pub pending: u32,
    /// In state `in_progress`.
    pub in_progress: u32,
    /// In state `complete` or `resolved_manually`.
    pub completed: u32,
    /// In state `error`.
    pub failed: u32,
    /// In state `cancelled`.
    pub cancelled: u32,
    /// May be claimed now.
    pub ready: u32,
    /// Will be ready at a time, or when a pause ends.
    pub scheduled: u32,
    /// Failed without another attempt to come.
    pub blocked: u32,
}

impl StepTally {
    /// Counts `steps` as they stand at `now`.
    pub fn of<'a>(steps: impl IntoIterator<Item = &'a StepFacts>, now: Timestamp) -> Self {
        let mut tally = Self::default();
        for step in steps {
            tally.total += 1;
            match step.state {
                State::Pending => tally.pending += 1,
                State::InProgress => tally.in_progress += 1,
                State::Complete | State::ResolvedManually => tally.completed += 1,
                State::Error => tally.failed += 1,
                State::Cancelled => tally.cancelled += 1,
            }
            match readiness(step, now) {
                Readiness::Now => tally.ready += 1,
                Readiness::Blocked if step.state == State::Error => tally.blocked += 1,
                Readiness::At { .. } | Readiness::Held => tally.scheduled += 1,
                Readiness::After { .. } | Readiness::Running | Readiness::Blocked | Readiness::Ended => {}
            }
        }
        tally
    }
}

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionStatus {
    /// Some step may be claimed.
    HasReadySteps,
    /// No step may be claimed, some are at work.
    Processing,
    /// Nothing can go on without help.
    BlockedByFailures,
    /// Every step has ended.
    AllComplete,
    /// Steps wait for others, or for their retry.
    WaitingForDependencies,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecommendedAction {
    /// Have workers claim.
    ExecuteReadySteps,
    /// Wait for the steps at work.
    WaitForCompletion,
    /// Retry, resolve or cancel the failed steps.
    HandleFailures,
    /// Nothing is left but the verdict.
    FinalizeTask,
    /// Wait.
    WaitForDependencies,
}

/// How a task fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// No step has failed.
    Healthy,
    /// Steps have failed, and the task goes on.
    Recovering,
    /// Steps have failed, and nothing goes on.
    Blocked,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Progress {
    /// The counts.
    #[serde(flatten)]
    pub tally: StepTally,
    /// What the task is doing.
    pub execution_status: ExecutionStatus,
    /// What is to be done about it.
    pub recommended_action: RecommendedAction,
    /// How it fares.
    pub health_status: Health,
    /// Steps complete or resolved, in per cent of all, rounded to two places.
    pub completion_percentage: f64,
}

impl Progress {
    /// Derives the progress of a task from the tally of its steps.
    pub fn of(tally: StepTally) -> Self {
        let (execution_status, recommended_action) = if tally.ready > 0 {
            (ExecutionStatus::HasReadySteps, RecommendedAction::ExecuteReadySteps)
        } else if tally.in_progress > 0 {
            (ExecutionStatus::Processing, RecommendedAction::WaitForCompletion)
        } else if tally.blocked > 0 {
            (ExecutionStatus::BlockedByFailures, RecommendedAction::HandleFailures)
        } else if tally.completed + tally.cancelled == tally.total {
            (ExecutionStatus::AllComplete, RecommendedAction::FinalizeTask)
        } else if tally.scheduled > 0 {
            (ExecutionStatus::WaitingForDependencies, RecommendedAction::WaitForDependencies)
        } else {
            // What is left waits for a step that was cancelled.
            (ExecutionStatus::BlockedByFailures, RecommendedAction::HandleFailures)
        };
        let health_status = match (tally.failed, tally.blocked, tally.ready) {
            (0, _, _) => Health::Healthy,
            (_, blocked, 0) if blocked > 0 => Health::Blocked,
            _ => Health::Recovering,
        };
        Self {
            tally,
            execution_status,
            recommended_action,
            health_status,
            completion_percentage: per_cent(&tally),
        }
    }
}

fn per_cent(tally: &StepTally) -> f64 {
    if tally.total == 0 {
        return 0.0;
    }
    (f64::from(tally.completed) / f64::from(tally.total) * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(tally: StepTally) -> (ExecutionStatus, RecommendedAction, Health, f64) {
        let progress = Progress::of(tally);
        (
            progress.execution_status,
            progress.recommended_action,
            progress.health_status,
            progress.completion_percentage,
        )
    }

    #[test]
    fn a_fresh_task_has_ready_steps() {
        let tally = StepTally { total: 4, pending: 4, ready: 2, ..StepTally::default() };
        let expected =
            (ExecutionStatus::HasReadySteps, RecommendedAction::ExecuteReadySteps, Health::Healthy, 0.0);
        assert_eq!(progress(tally), expected);
    }

    #[test]
    fn a_task_whose_rest_waits_on_one_step_is_processing() {
        let tally = StepTally { total: 4, pending: 3, in_progress: 1, ..StepTally::default() };
        let expected =
            (ExecutionStatus::Processing, RecommendedAction::WaitForCompletion, Health::Healthy, 0.0);
        assert_eq!(progress(tally), expected);
    }

    #[test]
    fn a_task_with_every_step_ended_is_complete_cancelled_ones_included() {
        for (completed, cancelled, percent) in [(4, 0, 100.0), (3, 1, 75.0)] {
            let tally = StepTally { total: 4, completed, cancelled, ..StepTally::default() };
            let expected =
                (ExecutionStatus::AllComplete, RecommendedAction::FinalizeTask, Health::Healthy, percent);
            assert_eq!(progress(tally), expected);
        }
    }

    #[test]
    fn a_task_in_backoff_waits_and_recovers() {
        let tally =
            StepTally { total: 6, completed: 2, failed: 1, scheduled: 1, pending: 3, ..StepTally::default() };
        let expected = (
            ExecutionStatus::WaitingForDependencies,
            RecommendedAction::WaitForDependencies,
            Health::Recovering,
            33.33,
        );
        assert_eq!(progress(tally), expected);
    }

    #[test]
    fn a_task_whose_failure_is_final_is_blocked() {
        let tally =
            StepTally { total: 6, completed: 2, failed: 1, blocked: 1, pending: 3, ..StepTally::default() };
        let expected =
            (ExecutionStatus::BlockedByFailures, RecommendedAction::HandleFailures, Health::Blocked, 33.33);
        assert_eq!(progress(tally), expected);
    }

    #[test]
    fn a_task_that_waits_for_a_cancelled_step_is_blocked() {
        let tally = StepTally { total: 3, completed: 1, cancelled: 1, pending: 1, ..StepTally::default() };
        assert_eq!(progress(tally).0, ExecutionStatus::BlockedByFailures);
    }

    #[test]
    fn a_final_failure_beside_a_ready_step_is_recovering() {
        let tally =
            StepTally { total: 4, failed: 1, blocked: 1, ready: 1, pending: 3, ..StepTally::default() };
        assert_eq!(progress(tally).0, ExecutionStatus::HasReadySteps);
        assert_eq!(progress(tally).2, Health::Recovering);
    }
}
