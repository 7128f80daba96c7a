//! Whether a step may run: a derived answer, never a stored state.
//!
//! The stores keep the same answer in the row (`unmet`, `ready_at`, `held`), so that no graph is walked
//! at run time; the conformance suite holds the two against each other.

use serde::Serialize;

use crate::state::State;
use crate::time::Timestamp;

/// What must be known of a step to say whether it may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepFacts {
    /// Its state.
    pub state: State,
    /// How many steps it depends on.
    pub parents: u32,
    /// How many of them are not yet complete or resolved.
    pub unmet: u32,
    /// The number of the latest attempt; 0 before the first.
    pub attempts: u32,
    /// The last attempt that may be made.
    pub retry_limit: u32,
    /// From when it may be claimed; `None` if it may not.
    pub ready_at: Option<Timestamp>,
    /// Whether its task is paused.
    pub held: bool,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "readiness", rename_all = "snake_case")]
pub enum Readiness {
    /// It may be claimed.
    Now,
    /// It may be claimed from this time on.
    At {
        /// When.
        time: Timestamp,
    },
    /// It waits for other steps.
    After {
        /// How many it still waits for.
        unmet: u32,
    },
    /// It could go on, but its task is paused.
    Held,
    /// A worker is at it.
    Running,
    /// It failed and no attempt is left, or none would help.
    Blocked,
    /// It has ended.
    Ended,
}

/// Says whether a step may run at `now`.
pub fn readiness(step: &StepFacts, now: Timestamp) -> Readiness {
    match step.state {
        State::InProgress => Readiness::Running,
        State::Complete | State::Cancelled | State::ResolvedManually => Readiness::Ended,
        State::Pending | State::Error if step.unmet > 0 => Readiness::After { unmet: step.unmet },
        State::Pending | State::Error => match step.ready_at {
            None => Readiness::Blocked,
            Some(_) if step.held => Readiness::Held,
            Some(time) if time <= now => Readiness::Now,
            Some(time) => Readiness::At { time },
        },
    }
}

impl StepFacts {
    /// `no_dependencies`, `all_satisfied`, or `2/3_satisfied`.
    pub fn dependency_status(&self) -> String {
        match (self.parents, self.unmet) {
            (0, _) => "no_dependencies".to_owned(),
            (_, 0) => "all_satisfied".to_owned(),
            (parents, unmet) => format!("{}/{parents}_satisfied", parents.saturating_sub(unmet)),
        }
    }

    /// `max_retries_reached`, `waiting_for_backoff` or `retry_eligible`.
    pub fn retry_status(&self, now: Timestamp) -> &'static str {
        match (self.state, self.ready_at) {
            _ if self.attempts >= self.retry_limit => "max_retries_reached",
            (State::Error, Some(time)) if time > now => "waiting_for_backoff",
            _ => "retry_eligible",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn facts(state: State) -> StepFacts {
        StepFacts { state, parents: 0, unmet: 0, attempts: 0, retry_limit: 3, ready_at: None, held: false }
    }

    #[test]
    fn a_pending_step_is_ready_when_nothing_is_unmet() {
        let step = StepFacts { ready_at: Some(NOW), ..facts(State::Pending) };
        assert_eq!(readiness(&step, NOW), Readiness::Now);
        let step = StepFacts { unmet: 1, parents: 2, ..facts(State::Pending) };
        assert_eq!(readiness(&step, NOW), Readiness::After { unmet: 1 });
        assert_eq!(step.dependency_status(), "1/2_satisfied");
    }

    #[test]
    fn a_failed_step_waits_for_its_time_or_for_help() {
        let later = Timestamp::from_micros(2_000_000);
        let step = StepFacts { ready_at: Some(later), attempts: 1, ..facts(State::Error) };
        assert_eq!(readiness(&step, NOW), Readiness::At { time: later });
        assert_eq!(step.retry_status(NOW), "waiting_for_backoff");
        assert_eq!(readiness(&step, later), Readiness::Now);
        let step = StepFacts { attempts: 3, ..facts(State::Error) };
        assert_eq!(readiness(&step, NOW), Readiness::Blocked);
        assert_eq!(step.retry_status(NOW), "max_retries_reached");
    }

    #[test]
    fn a_step_at_work_or_ended_is_never_ready() {
        assert_eq!(readiness(&facts(State::InProgress), NOW), Readiness::Running);
        for state in [State::Complete, State::Cancelled, State::ResolvedManually] {
            assert_eq!(readiness(&facts(state), NOW), Readiness::Ended);
        }
    }

    #[test]
    fn a_paused_task_holds_what_is_ready() {
        let step = StepFacts { ready_at: Some(NOW), held: true, ..facts(State::Pending) };
        assert_eq!(readiness(&step, NOW), Readiness::Held);
    }
}
