//! The names of attributes, events and links.
//!
//! What the semantic conventions of OpenTelemetry have a name for has that; the rest begins with `tasker.`.

macro_rules! names {
    ($($(#[doc = $meaning:literal])+ $constant:ident = $name:literal,)*) => {
        $($(#[doc = $meaning])+ pub const $constant: &str = $name;)*

        /// Every attribute with its meaning.
        pub const ALL: &[(&str, &str)] = &[$(($name, concat!($($meaning),+)),)*];
    };
}

names! {
    /// The code of a failure, or else its kind; `blocked` for a task, `lease_expired` for a lost attempt.
    ERROR_TYPE = "error.type",
    /// Which system a message is from: `tasker`. On attempts.
    MESSAGING_SYSTEM = "messaging.system",
    /// The queue of the step. On attempts.
    MESSAGING_DESTINATION_NAME = "messaging.destination.name",
    /// What is done with the message: `process`. On attempts.
    MESSAGING_OPERATION_TYPE = "messaging.operation.type",
    /// What Tasker calls that: `process`. On attempts.
    MESSAGING_OPERATION_NAME = "messaging.operation.name",
    /// The id of the step. On attempts.
    MESSAGING_MESSAGE_ID = "messaging.message.id",
    /// The id of the task.
    TASK_ID = "tasker.task.id",
    /// The namespace of the task's template.
    TASK_NAMESPACE = "tasker.task.namespace",
    /// The name of the task's template.
    TASK_NAME = "tasker.task.name",
    /// The version of the task's template.
    TASK_VERSION = "tasker.task.version",
    /// The state of the task; with a run, what that led to.
    TASK_STATE = "tasker.task.state",
    /// How many steps the task has.
    TASK_STEPS = "tasker.task.steps",
    /// Who asked for the task.
    TASK_INITIATOR = "tasker.task.initiator",
    /// From which system the task was asked for.
    TASK_SOURCE_SYSTEM = "tasker.task.source_system",
    /// Words to find the task by.
    TASK_TAGS = "tasker.task.tags",
    /// What the submitter calls the occasion.
    CORRELATION_ID = "tasker.correlation_id",
    /// The number of a run, from 1.
    RUN_NUMBER = "tasker.run.number",
    /// What began a run: `created` or `retry_requested`.
    RUN_TRIGGER = "tasker.run.trigger",
    /// The id of the step.
    STEP_ID = "tasker.step.id",
    /// The name of the step.
    STEP_NAME = "tasker.step.name",
    /// The state of the step at the end of its part in a run.
    STEP_STATE = "tasker.step.state",
    /// How many attempts at the step were made in a run.
    STEP_ATTEMPTS = "tasker.step.attempts",
    /// Who runs the step.
    HANDLER = "tasker.handler",
    /// The queue that the step waits in.
    QUEUE = "tasker.queue.name",
    /// What a wait began with: `ready`, `retry_due`, `snoozed` or `retry_requested`.
    QUEUE_CAUSE = "tasker.queue.cause",
    /// The number of the attempt.
    ATTEMPT_NUMBER = "tasker.attempt.number",
    /// How many attempts the template allows.
    ATTEMPT_MAX = "tasker.attempt.max",
    /// The worker that made it.
    WORKER = "tasker.worker.id",
    /// How the attempt ended: `completed`, `error`, `lost`, `snoozed` or `cancelled`.
    OUTCOME = "tasker.outcome",
    /// How long the step had waited since the attempt before, in milliseconds, if that was a backoff or a snooze.
    RETRY_DELAY_MS = "tasker.retry.delay_ms",
    /// True where a span has not ended yet.
    UNFINISHED = "tasker.unfinished",
    /// Of a change of state: the state before.
    TRANSITION_FROM = "tasker.transition.from",
    /// Of a change of state: the state after.
    TRANSITION_TO = "tasker.transition.to",
    /// Of a change of state: why.
    TRANSITION_CAUSE = "tasker.transition.cause",
    /// Of a change of state: who gave the command that led to it.
    TRANSITION_BY = "tasker.transition.by",
    /// Of a change of state: the reason given with the command.
    TRANSITION_REASON = "tasker.transition.reason",
    /// What a link is: `created_by`, `depends_on` or `retry_of`.
    LINK_TYPE = "tasker.link.type",
}

/// The event that a state changed.
pub const TRANSITION: &str = "tasker.transition";
/// The value of [`MESSAGING_SYSTEM`].
pub const SYSTEM: &str = "tasker";
/// The value of [`MESSAGING_OPERATION_TYPE`].
pub const PROCESS: &str = "process";
