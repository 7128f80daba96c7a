//! Which events follow from which transition. The guide has the same as a table.

use tasker_core::State;
use tasker_events::EventId;
use tasker_store::{Cause, Transition};

/// Every event that follows from some transition.
pub(crate) const RECORDED: [EventId; 14] = [
    EventId::TaskInitializeRequested,
    EventId::TaskCompleted,
    EventId::TaskFailed,
    EventId::TaskCancelled,
    EventId::TaskResolvedManually,
    EventId::TaskRetryRequested,
    EventId::StepExecutionRequested,
    EventId::StepCompleted,
    EventId::StepFailed,
    EventId::StepSnoozed,
    EventId::StepRetryRequested,
    EventId::StepCancelled,
    EventId::StepResolvedManually,
    EventId::LeaseExpired,
];

/// The events that follow from a transition, in the order in which they are told.
pub(crate) fn events_of(transition: &Transition) -> &'static [EventId] {
    match transition.step {
        None => of_task(transition.cause),
        Some(_) => of_step(transition.cause, transition.to),
    }
}

fn of_task(cause: Cause) -> &'static [EventId] {
    match cause {
        Cause::Submitted => &[EventId::TaskInitializeRequested],
        Cause::Completed => &[EventId::TaskCompleted],
        Cause::Blocked => &[EventId::TaskFailed],
        Cause::RetryRequested => &[EventId::TaskRetryRequested],
        Cause::Cancelled => &[EventId::TaskCancelled],
        Cause::Resolved => &[EventId::TaskResolvedManually],
        Cause::Started
        | Cause::Claimed
        | Cause::Failed
        | Cause::LeaseExpired
        | Cause::Snoozed
        | Cause::RetryDue
        | Cause::TaskCancelled
        | Cause::TaskResolved => &[],
    }
}

fn of_step(cause: Cause, to: State) -> &'static [EventId] {
    match cause {
        Cause::Claimed => &[EventId::StepExecutionRequested],
        Cause::Completed => &[EventId::StepCompleted],
        Cause::Failed => &[EventId::StepFailed],
        Cause::LeaseExpired => of_expired_lease(to),
        Cause::Snoozed => &[EventId::StepSnoozed],
        Cause::RetryRequested => &[EventId::StepRetryRequested],
        Cause::Cancelled | Cause::TaskCancelled | Cause::TaskResolved => &[EventId::StepCancelled],
        Cause::Resolved => &[EventId::StepResolvedManually],
        Cause::Submitted | Cause::Started | Cause::RetryDue | Cause::Blocked => &[],
    }
}

/// Whoever settles for a worker that went away may give any verdict; the Rescuer lets the attempt fail.
fn of_expired_lease(to: State) -> &'static [EventId] {
    match to {
        State::Error => &[EventId::StepFailed, EventId::LeaseExpired],
        State::Complete => &[EventId::StepCompleted, EventId::LeaseExpired],
        State::Pending => &[EventId::StepSnoozed, EventId::LeaseExpired],
        State::InProgress | State::Cancelled | State::ResolvedManually => &[EventId::LeaseExpired],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_list_of_recorded_events_is_what_transitions_can_tell() {
        let tasks = Cause::ALL.iter().flat_map(|cause| of_task(*cause));
        let steps = Cause::ALL.iter().flat_map(|cause| State::ALL.map(|to| of_step(*cause, to)));
        let told: BTreeSet<_> = tasks.chain(steps.flatten()).copied().collect();
        assert_eq!(told, RECORDED.into_iter().collect());
    }

    #[test]
    fn the_guide_says_of_every_cause_what_follows_from_it() {
        let told = |subject: &str, cause: Cause| -> BTreeSet<&str> {
            let rows = include_str!("guide.md").lines().map(|row| row.split(" | ").collect::<Vec<_>>());
            let cause = format!("`{cause}`");
            let rows =
                rows.filter(|row| row.len() == 3 && row[0].ends_with(subject) && row[1].contains(&cause));
            rows.flat_map(|row| row[2].split('`').skip(1).step_by(2)).collect()
        };
        let names = |events: &'static [EventId]| events.iter().map(|event| event.name()).collect();
        for cause in Cause::ALL {
            assert_eq!(told("task", *cause), names(of_task(*cause)), "{cause} of a task");
            assert_eq!(told("step", *cause), names(of_step(*cause, State::Error)), "{cause} of a step");
        }
    }
}
