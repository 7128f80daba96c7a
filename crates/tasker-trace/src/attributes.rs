//! The names of attributes, events and links.
//!
//! What the semantic conventions of OpenTelemetry have a name for has that; the rest begins with `tasker.`.

/// The kind of a failure.
pub const ERROR_TYPE: &str = "error.type";
/// Which system the message is from: always [`SYSTEM`].
pub const MESSAGING_SYSTEM: &str = "messaging.system";
/// The queue of the step.
pub const MESSAGING_DESTINATION_NAME: &str = "messaging.destination.name";
/// What is done with the message: always [`PROCESS`].
pub const MESSAGING_OPERATION_TYPE: &str = "messaging.operation.type";
/// What the system calls that.
pub const MESSAGING_OPERATION_NAME: &str = "messaging.operation.name";
/// The id of the step.
pub const MESSAGING_MESSAGE_ID: &str = "messaging.message.id";

/// The value of [`MESSAGING_SYSTEM`].
pub const SYSTEM: &str = "tasker";
/// The value of [`MESSAGING_OPERATION_TYPE`].
pub const PROCESS: &str = "process";

/// The id of the task.
pub const TASK_ID: &str = "tasker.task.id";
/// The namespace of its template.
pub const TASK_NAMESPACE: &str = "tasker.task.namespace";
/// The name of its template.
pub const TASK_NAME: &str = "tasker.task.name";
/// The version of its template.
pub const TASK_VERSION: &str = "tasker.task.version";
/// Its state.
pub const TASK_STATE: &str = "tasker.task.state";
/// How many steps it has.
pub const TASK_STEPS: &str = "tasker.task.steps";
/// Who asked for it.
pub const TASK_INITIATOR: &str = "tasker.task.initiator";
/// From which system.
pub const TASK_SOURCE_SYSTEM: &str = "tasker.task.source_system";
/// Words to find it by.
pub const TASK_TAGS: &str = "tasker.task.tags";
/// What its submitter calls the occasion.
pub const CORRELATION_ID: &str = "tasker.correlation_id";

/// The number of the run, from 1.
pub const RUN_NUMBER: &str = "tasker.run.number";
/// What began it: `created` or `retry_requested`.
pub const RUN_TRIGGER: &str = "tasker.run.trigger";

/// The id of the step.
pub const STEP_ID: &str = "tasker.step.id";
/// Its name.
pub const STEP_NAME: &str = "tasker.step.name";
/// Its state.
pub const STEP_STATE: &str = "tasker.step.state";
/// How many attempts were made in the run.
pub const STEP_ATTEMPTS: &str = "tasker.step.attempts";
/// Who runs it.
pub const HANDLER: &str = "tasker.handler";
/// The queue it waits in.
pub const QUEUE: &str = "tasker.queue";
/// What it waited for: `ready`, `retry_due`, `snoozed` or `retry_requested`.
pub const QUEUE_CAUSE: &str = "tasker.queue.cause";

/// The number of the attempt.
pub const ATTEMPT_NUMBER: &str = "tasker.attempt.number";
/// How many attempts the template allows.
pub const ATTEMPT_MAX: &str = "tasker.attempt.max";
/// The worker that made it.
pub const WORKER: &str = "tasker.worker.id";
/// How it ended: `completed`, `error`, `lost`, `snoozed` or `cancelled`.
pub const OUTCOME: &str = "tasker.outcome";
/// How long the step had waited since the attempt before, in milliseconds.
pub const RETRY_DELAY_MS: &str = "tasker.retry.delay_ms";
/// Set where a span has not ended yet.
pub const UNFINISHED: &str = "tasker.unfinished";

/// The event: a state changed.
pub const TRANSITION: &str = "tasker.transition";
/// The state before.
pub const TRANSITION_FROM: &str = "tasker.transition.from";
/// The state after.
pub const TRANSITION_TO: &str = "tasker.transition.to";
/// Why.
pub const TRANSITION_CAUSE: &str = "tasker.transition.cause";
/// Who gave the command that led to it.
pub const TRANSITION_BY: &str = "tasker.transition.by";
/// The reason given with the command.
pub const TRANSITION_REASON: &str = "tasker.transition.reason";

/// What a link is: `created_by`, `depends_on` or `retry_of`.
pub const LINK_TYPE: &str = "tasker.link.type";
