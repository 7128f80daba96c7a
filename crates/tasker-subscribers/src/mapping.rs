//! Which events follow from which transition.
//!
//! | Of | Cause | Events |
//! |---|---|---|
//! | task | `submitted` | `task.initialize_requested` |
//! | task | `completed` | `task.completed` |
//! | task | `blocked` | `task.failed` |
//! | task | `retry_requested` | `task.retry_requested` |
//! | task | `cancelled` | `task.cancelled` |
//! | task | `resolved` | `task.resolved_manually` |
//! | step | `claimed` | `step.execution_requested` |
//! | step | `completed` | `step.completed` |
//! | step | `failed` | `step.failed` |
//! | step | `lease_expired` | `step.failed` and `lease.expired` |
//! | step | `snoozed` | `step.snoozed` |
//! | step | `retry_requested` | `step.retry_requested` |
//! | step | `cancelled`, `task_cancelled`, `task_resolved` | `step.cancelled` |
//! | step | `resolved` | `step.resolved_manually` |
//!
//! From `started` and `retry_due` follows none: the claim beside them says it. The other events of the catalog leave no
//! transition, so that no durable subscriber can have them.

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
    fn the_table_above_names_every_recorded_event_and_every_cause() {
        let table = include_str!("mapping.rs").lines().take_while(|line| line.starts_with("//!"));
        let table: String = table.collect();
        let names = RECORDED.iter().map(|event| event.name());
        for name in names.chain(Cause::ALL.iter().map(|cause| cause.as_str())) {
            assert!(table.contains(&format!("`{name}`")), "{name}");
        }
    }
}
