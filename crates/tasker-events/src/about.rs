//! What can be said of an event by its name or its payload alone.

use std::fmt;
use std::str::FromStr;

use tasker_core::TaskId;

use crate::catalog::{Event, EventId};

/// A text that is the name of no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown event {0:?}")]
pub struct UnknownEvent(pub String);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for EventId {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        Self::ALL
            .iter()
            .copied()
            .find(|event| event.name() == text)
            .ok_or_else(|| UnknownEvent(text.to_owned()))
    }
}

impl Event<'_> {
    /// The task that it is about, if it is about one.
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Self::TaskInitializeRequested { task, .. }
            | Self::TaskStartRequested { task, .. }
            | Self::TaskCompleted { task, .. }
            | Self::TaskFailed { task, .. }
            | Self::TaskCancelled { task, .. }
            | Self::TaskResolvedManually { task, .. }
            | Self::TaskRetryRequested { task, .. }
            | Self::TaskPaused { task, .. }
            | Self::TaskResumed { task, .. }
            | Self::TaskUpdated { task, .. } => Some(task.id),
            Self::TaskDuplicateFound { task_id } | Self::LeaseLost { task_id, .. } => Some(*task_id),
            Self::StepExecutionRequested { attempt, .. }
            | Self::StepBeforeHandle { attempt }
            | Self::StepHandle { attempt, .. }
            | Self::StepLogTruncated { attempt, .. }
            | Self::StepCompleted { attempt, .. }
            | Self::StepFailed { attempt, .. }
            | Self::StepSnoozed { attempt, .. }
            | Self::ObservabilityStepBackoff { attempt, .. }
            | Self::ObservabilityStepMaxRetriesReached { attempt }
            | Self::LeaseExpired { attempt }
            | Self::LeaseFenced { attempt } => Some(attempt.key.step.task()),
            Self::StepRetryRequested { step, .. }
            | Self::StepCancelled { step, .. }
            | Self::StepResolvedManually { step, .. }
            | Self::StepUpdated { step, .. } => Some(step.id.task()),
            Self::TaskSubmissionRefused { .. }
            | Self::TaskPruned { .. }
            | Self::WorkflowViableStepsDiscovered { .. }
            | Self::WorkflowNoViableSteps { .. }
            | Self::WorkflowStepsExecutionCompleted { .. }
            | Self::LeaseRenewed { .. }
            | Self::WorkerRegistered { .. }
            | Self::WorkerDraining { .. }
            | Self::WorkerStopped { .. }
            | Self::TemplateRegistered { .. }
            | Self::TemplateRefused { .. }
            | Self::NamespacePaused { .. }
            | Self::NamespaceResumed { .. }
            | Self::CommandRefused { .. }
            | Self::DatabaseQueryExecuted { .. }
            | Self::DatabaseQueryFailed { .. }
            | Self::PerformanceSlowOperation { .. }
            | Self::DatabaseConnectionLost { .. }
            | Self::DatabaseConnectionRestored { .. }
            | Self::ProcessStarted { .. }
            | Self::ProcessReady { .. }
            | Self::ProcessStopping { .. }
            | Self::MetricsScraped { .. }
            | Self::HealthDegraded { .. }
            | Self::HealthRestored { .. }
            | Self::TracesExported { .. }
            | Self::TracesDropped { .. }
            | Self::RouteChanged { .. }
            | Self::LogLevelChanged { .. }
            | Self::SubscriberStarted { .. }
            | Self::SubscriberStalled { .. }
            | Self::SubscriberRecovered { .. }
            | Self::SubscriberRefused { .. }
            | Self::SubscriberFailed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for event in EventId::ALL {
            assert_eq!(event.name().parse(), Ok(*event));
            assert_eq!(EventId::ALL[*event as usize], *event);
            assert!(event.about().ends_with('.'), "{event}: {:?}", event.about());
        }
        assert_eq!("task.compleeted".parse::<EventId>(), Err(UnknownEvent("task.compleeted".to_owned())));
    }
}
