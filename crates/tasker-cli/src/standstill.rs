//! What a task that does not move waits for, and whether it waits in vain.

use std::collections::BTreeSet;

use tasker_engine::{Explanation, Reason, StepExplanation};

use crate::words::one_line;

/// What a task that does not move waits for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Standstill {
    /// What whoever waits wants to know.
    pub(crate) notes: Vec<String>,
    /// Whether no step can go on without a worker that is not there.
    pub(crate) is_stuck: bool,
}

impl Standstill {
    /// As a task is explained to a process that offers these handlers.
    pub(crate) fn of(explanation: &Explanation, offered: &BTreeSet<String>) -> Self {
        let is_unoffered = |reason: &Reason| matches!(reason, Reason::NoWorker { handler, .. } if !offered.contains(handler));
        let (unoffered, others): (Vec<_>, Vec<_>) = explanation
            .steps
            .iter()
            .filter(|step| may_go_on(step))
            .partition(|step| step.reasons.iter().any(is_unoffered));
        if others.is_empty() {
            return Self { notes: Vec::new(), is_stuck: !unoffered.is_empty() };
        }
        let noted = others.iter().filter(|step| step.reasons.iter().any(is_worth_a_note));
        let notes = unoffered.iter().chain(noted).map(|step| one_line(&step.sentence)).collect();
        Self { notes, is_stuck: false }
    }
}

/// Whether a step could go on by itself, if there were a worker for it: it neither failed for good nor waits for another.
fn may_go_on(step: &StepExplanation) -> bool {
    let is_over =
        |reason: &Reason| matches!(reason, Reason::Exhausted { .. } | Reason::PermanentFailure { .. });
    !step.reasons.iter().all(is_of_another_step) && !step.reasons.iter().any(is_over)
}

/// Whether a reason lies with the steps before.
fn is_of_another_step(reason: &Reason) -> bool {
    matches!(reason, Reason::UnmetDependencies { .. } | Reason::Ended)
}

/// Whether a person who waits wants to know of it. What waits for a time is shown as progress.
fn is_worth_a_note(reason: &Reason) -> bool {
    match reason {
        Reason::NoWorker { .. }
        | Reason::WaitingForWorker { .. }
        | Reason::LeaseExpired { .. }
        | Reason::TaskPaused(_)
        | Reason::NamespacePaused(_) => true,
        Reason::UnmetDependencies { .. }
        | Reason::Backoff { .. }
        | Reason::Scheduled { .. }
        | Reason::Leased { .. }
        | Reason::Exhausted { .. }
        | Reason::PermanentFailure { .. }
        | Reason::Ended => false,
    }
}

#[cfg(test)]
mod tests {
    use tasker_core::{State, TaskId, Timestamp};
    use tasker_store::Pause;

    use super::*;

    /// What is said of a task whose steps have these reasons, one each, by a process that offers `noop`.
    fn standstill(reasons: Vec<Reason>) -> Standstill {
        let task_id: TaskId = "0199c2a4-5b1e-7c3d-9a4f-2e6b1c800000".parse().expect("an id");
        let step = |(ordinal, reason): (u32, Reason)| StepExplanation {
            step_id: task_id.step(ordinal),
            name: format!("s{ordinal}"),
            status: State::Pending,
            reasons: vec![reason],
            sentence: format!("s{ordinal} waits."),
        };
        let steps = (0..).zip(reasons).map(step).collect();
        let explanation =
            Explanation { task_id, status: State::InProgress, sentence: "It waits.".to_owned(), steps };
        Standstill::of(&explanation, &BTreeSet::from(["noop".to_owned()]))
    }

    fn unoffered() -> Reason {
        Reason::NoWorker { handler: "Payments::Charge".to_owned(), queue: "default".to_owned() }
    }

    const STUCK: Standstill = Standstill { notes: Vec::new(), is_stuck: true };

    #[test]
    fn a_step_that_failed_for_good_does_not_go_on() {
        let exhausted = Reason::Exhausted { attempts: 3, message: None };
        assert_eq!(standstill(vec![exhausted, unoffered()]), STUCK);
        assert_eq!(standstill(vec![Reason::PermanentFailure { message: None }, unoffered()]), STUCK);
        let after = Reason::UnmetDependencies { steps: vec![("s0".to_owned(), State::Pending)] };
        assert_eq!(standstill(vec![unoffered(), after]), STUCK);
    }

    #[test]
    fn a_task_is_not_stuck_while_a_step_may_go_on() {
        let scheduled = Reason::Scheduled { until: Timestamp::from_micros(7) };
        let waits = Standstill { notes: vec!["s0 waits.".to_owned()], is_stuck: false };
        assert_eq!(standstill(vec![unoffered(), scheduled]), waits);
        let paused = Pause { by: "ada".to_owned(), at: Timestamp::from_micros(7), reason: None };
        assert_eq!(standstill(vec![Reason::TaskPaused((&paused).into())]), waits);
        let own = Reason::NoWorker { handler: "noop".to_owned(), queue: "default".to_owned() };
        assert_eq!(standstill(vec![own]), waits);
    }
}
