//! The catalog: every event, in one table.

use serde::Serialize;
use tasker_core::{TaskId, Timestamp, WorkerId};

use crate::category::ErrorCategory;
use crate::field::Field;
use crate::routes::Backend::{self, Logs, Metrics, Traces};
use crate::routes::Priority::{self, Critical, High, Low, Normal};
use crate::subject::{About, AttemptRef, StepRef, TaskRef};

macro_rules! catalog {
    ($(
        $(#[doc = $doc:literal])+
        $id:ident = $name:literal, $priority:ident, [$($backend:ident),*] {
            $($(#[serde($($serde:tt)*)])? $field:ident: $type:ty = $about:literal,)*
        }
    )*) => {
        /// The name of an event, as a number.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum EventId { $($(#[doc = $doc])+ $id,)* }

        /// An event with its payload. Times are in seconds.
        #[derive(Debug, Clone, Serialize)]
        #[serde(untagged)]
        pub enum Event<'a> {
            $($(#[doc = $doc])+ $id { $(#[doc = $about] $(#[serde($($serde)*)])? $field: $type,)* },)*
        }

        impl Event<'_> {
            /// Which event it is.
            #[inline]
            pub const fn id(&self) -> EventId {
                match self { $(Self::$id { .. } => EventId::$id,)* }
            }

            /// The task that it is about, if it is about one.
            pub fn task(&self) -> Option<TaskId> {
                match self {
                    $(Self::$id { $($field),* } => [$(About::task($field)),*].into_iter().flatten().next(),)*
                }
            }
        }

        impl EventId {
            /// Every event, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// The name, such as `task.completed`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// When it fires.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$id => concat!($($doc,)+).trim_ascii_start(),)* }
            }

            /// How much it matters.
            pub const fn priority(self) -> Priority {
                match self { $(Self::$id => $priority,)* }
            }

            /// Where it goes if nobody says otherwise.
            pub const fn backends(self) -> &'static [Backend] {
                match self { $(Self::$id => &[$($backend),*],)* }
            }

            /// What is in its payload.
            pub const fn fields(self) -> &'static [Field] {
                match self {
                    $(Self::$id => &[$(Field {
                        name: stringify!($field), rust: stringify!($type), about: $about,
                    },)*],)*
                }
            }
        }
    };
}

catalog! {
    /// A task was made.
    TaskInitializeRequested = "task.initialize_requested", Normal, [Metrics, Traces] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        step_count: u32 = "how many steps it has",
    }
    /// A submission named a task that exists already, and got that one.
    TaskDuplicateFound = "task.duplicate_found", Normal, [Metrics] {
        task_id: TaskId = "the task that exists",
    }
    /// A submission was refused for a task that exists already; nothing was made.
    TaskSubmissionRefused = "task.submission_refused", High, [Metrics, Logs] {
        reason: &'a str = "why",
    }
    /// The first step of a task was claimed: it begins.
    TaskStartRequested = "task.start_requested", Normal, [Metrics, Traces] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        queue_duration: f64 = "seconds since it was submitted",
    }
    /// All steps of a task ended well.
    TaskCompleted = "task.completed", Normal, [Metrics, Traces] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        total_execution_duration: f64 = "seconds since it was submitted",
    }
    /// Nothing of a task can run any more, and not all of it is done.
    TaskFailed = "task.failed", High, [Metrics, Traces, Logs] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        total_execution_duration: f64 = "seconds since it was submitted",
    }
    /// Somebody called off a task.
    TaskCancelled = "task.cancelled", Normal, [Metrics, Traces] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        by: &'a str = "who",
        cancellation_reason: Option<&'a str> = "why",
    }
    /// Somebody declared a task done.
    TaskResolvedManually = "task.resolved_manually", Normal, [Metrics, Traces] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        by: &'a str = "who",
        reason: Option<&'a str> = "why",
    }
    /// A task goes on that was in error, as somebody asked for.
    TaskRetryRequested = "task.retry_requested", Normal, [Metrics, Traces] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        by: &'a str = "who",
        step_count: u32 = "how many steps get another attempt",
    }
    /// Somebody paused a task.
    TaskPaused = "task.paused", Normal, [Metrics] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        by: &'a str = "who",
        reason: Option<&'a str> = "why",
    }
    /// Somebody ended the pause of a task.
    TaskResumed = "task.resumed", Normal, [Metrics] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        by: &'a str = "who",
    }
    /// Somebody changed what describes a task.
    TaskUpdated = "task.updated", Low, [] {
        #[serde(flatten)] task: TaskRef<'a> = "the task",
        by: &'a str = "who",
    }
    /// Old tasks were removed.
    TaskPruned = "task.pruned", Low, [Metrics] {
        task_count: u64 = "how many",
    }
    /// A worker got the lease of a step: its attempt begins.
    StepExecutionRequested = "step.execution_requested", Normal, [Metrics, Traces] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt",
        retry_limit: u32 = "the last attempt that may be made",
        worker: WorkerId = "who makes it",
        started_at: Timestamp = "when the lease began, by the store's clock",
        queue_duration: f64 = "seconds for which the step had been ready, by the store's clock",
    }
    /// A handler is about to be called.
    StepBeforeHandle = "step.before_handle", Low, [Traces] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt",
    }
    /// A handler answered, panicked or took too long; what comes of it is told once it is recorded.
    StepHandle = "step.handle", Low, [Metrics, Traces] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt",
        duration: f64 = "seconds from the call to the answer",
        outcome: &'static str = "done, retry, fail or snooze",
    }
    /// An attempt logged more than is kept; the rest is dropped.
    StepLogTruncated = "step.log_truncated", Normal, [Metrics, Logs] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt",
        limit_bytes: u64 = "how much is kept",
    }
    /// A step is complete.
    StepCompleted = "step.completed", Normal, [Metrics, Traces] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt",
        execution_duration: Option<f64> = "seconds that the attempt took, from its lease to its end",
    }
    /// An attempt of a step failed.
    StepFailed = "step.failed", High, [Metrics, Traces] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt",
        execution_duration: Option<f64> = "seconds that the attempt took, from its lease to its end; null where its worker is gone",
        error_message: &'a str = "what went wrong",
        exception_class: &'a str = "its code, or else its kind",
        error_category: ErrorCategory = "what kind of error that is",
        will_retry: bool = "whether another attempt follows by itself",
    }
    /// A handler asked to be called later.
    StepSnoozed = "step.snoozed", Normal, [Metrics] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt",
        until: Option<Timestamp> = "when it is called again",
    }
    /// Somebody gave a failed step another attempt.
    StepRetryRequested = "step.retry_requested", Normal, [Metrics, Traces] {
        #[serde(flatten)] step: StepRef<'a> = "the step",
        by: &'a str = "who",
    }
    /// A step was called off, alone or with its task.
    StepCancelled = "step.cancelled", Normal, [Metrics, Traces] {
        #[serde(flatten)] step: StepRef<'a> = "the step",
        by: &'a str = "who",
    }
    /// Somebody declared a step done.
    StepResolvedManually = "step.resolved_manually", Normal, [Metrics, Traces] {
        #[serde(flatten)] step: StepRef<'a> = "the step",
        by: &'a str = "who",
    }
    /// Somebody changed the inputs or the retry limit of a step.
    StepUpdated = "step.updated", Low, [] {
        #[serde(flatten)] step: StepRef<'a> = "the step",
        by: &'a str = "who",
    }
    /// An attempt failed, and another waits for its time.
    ObservabilityStepBackoff = "observability.step.backoff", Normal, [Metrics, Traces] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt that failed",
        retry_at: Timestamp = "from when the next may be made",
    }
    /// An attempt failed that might be repeated, and none is left.
    ObservabilityStepMaxRetriesReached = "observability.step.max_retries_reached", High, [Metrics, Traces] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the last attempt",
    }
    /// A claim found steps to run.
    WorkflowViableStepsDiscovered = "workflow.viable_steps_discovered", Low, [Metrics] {
        step_count: u32 = "how many",
    }
    /// A claim found nothing to run.
    WorkflowNoViableSteps = "workflow.no_viable_steps", Low, [] {
        worker: WorkerId = "who asked",
    }
    /// The ends of attempts were recorded in one call.
    WorkflowStepsExecutionCompleted = "workflow.steps_execution_completed", Low, [] {
        processed_count: u32 = "how many ends",
        successful_count: u32 = "how many of them were completions",
    }
    /// Leases were prolonged.
    LeaseRenewed = "lease.renewed", Low, [] {
        worker: WorkerId = "whose",
        lease_count: u32 = "how many",
    }
    /// A worker was told that a lease is no longer its own.
    LeaseLost = "lease.lost", High, [Metrics] {
        worker: WorkerId = "whose it was",
        task_id: TaskId = "the task",
        step_id: String = "the step",
        attempt_number: u32 = "the attempt",
    }
    /// The time of a lease ran out, and the attempt was given up for its worker.
    LeaseExpired = "lease.expired", High, [Metrics, Logs] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt",
    }
    /// The end of an attempt came too late, or from another than the holder of its lease, and changed nothing.
    LeaseFenced = "lease.fenced", High, [Metrics] {
        #[serde(flatten)] attempt: AttemptRef<'a> = "the attempt",
    }
    /// A worker said for the first time that it is there.
    WorkerRegistered = "worker.registered", Normal, [Logs] {
        worker: WorkerId = "this incarnation of it",
        name: &'a str = "its name",
        concurrency: u32 = "how many attempts it makes at once",
        handler_count: u32 = "how many handlers it offers",
    }
    /// A worker takes no new work, as it is about to stop.
    WorkerDraining = "worker.draining", Normal, [Logs] {
        worker: WorkerId = "this incarnation of it",
        name: &'a str = "its name",
    }
    /// A worker took itself off the list.
    WorkerStopped = "worker.stopped", Normal, [Logs] {
        worker: WorkerId = "this incarnation of it",
    }
    /// A template was offered, and is stored.
    TemplateRegistered = "template.registered", Normal, [Metrics] {
        #[serde(rename = "template")] key: &'a str = "its namespace, name and version",
    }
    /// A template was refused, as its version is taken by another content.
    TemplateRefused = "template.refused", High, [Metrics, Logs] {
        #[serde(rename = "template")] key: &'a str = "its namespace, name and version",
    }
    /// Somebody paused a namespace.
    NamespacePaused = "namespace.paused", High, [Metrics, Logs] {
        namespace: &'a str = "which",
        by: &'a str = "who",
        reason: Option<&'a str> = "why",
    }
    /// Somebody ended the pause of a namespace.
    NamespaceResumed = "namespace.resumed", High, [Metrics, Logs] {
        namespace: &'a str = "which",
        by: &'a str = "who",
    }
    /// A command was refused, as the state of what it is about does not allow it.
    CommandRefused = "command.refused", Normal, [Metrics] {
        verb: &'static str = "what was asked",
        reason: &'a str = "why not",
    }
    /// The database answered.
    DatabaseQueryExecuted = "database.query_executed", Low, [Metrics] {
        operation: &'static str = "what was asked of it",
        duration: f64 = "seconds from the request to the answer, time spent waiting for others included",
    }
    /// The database did not answer, or answered with an error.
    DatabaseQueryFailed = "database.query_failed", High, [Metrics] {
        operation: &'static str = "what was asked of it",
        duration: f64 = "seconds from the request to the answer",
        error_message: &'a str = "what went wrong",
        is_transient: bool = "whether it may work later",
    }
    /// The database is out of reach: a request failed that may work later, and the one before had not.
    DatabaseConnectionLost = "database.connection_lost", Critical, [Metrics, Logs] {
        error_message: &'a str = "what went wrong",
    }
    /// The database answers again.
    DatabaseConnectionRestored = "database.connection_restored", High, [Metrics, Logs] {
        duration: f64 = "seconds since it was lost",
    }
    /// Something took longer than it should.
    PerformanceSlowOperation = "performance.slow_operation", High, [Metrics, Traces, Logs] {
        operation: &'static str = "what",
        duration: f64 = "seconds",
        threshold: f64 = "seconds that it should take at most",
    }
    /// The process has read its settings and begins.
    ProcessStarted = "process.started", Normal, [Metrics, Logs] {
        name: &'a str = "the program",
        version: &'static str = "its version",
        process_id: u32 = "its number at the operating system",
    }
    /// The process does its work: the database is open, and whatever it serves is up.
    ProcessReady = "process.ready", Normal, [Metrics, Logs] {
        name: &'a str = "the program",
        duration: f64 = "seconds since it began",
    }
    /// The process was told to stop, and takes no new work.
    ProcessStopping = "process.stopping", Normal, [Metrics, Logs] {
        name: &'a str = "the program",
        duration: f64 = "seconds since it began",
    }
    /// The values of all metrics were asked for, and given.
    MetricsScraped = "metrics.scraped", Low, [Metrics] {
        series_count: u64 = "how many series there were",
        duration: f64 = "seconds that it took to collect them",
    }
    /// A check of the process's health failed that had not failed before.
    HealthDegraded = "health.degraded", High, [Metrics, Logs] {
        check: &'a str = "what was looked at",
        reason: &'a str = "what is wrong",
    }
    /// A check of the process's health is well again.
    HealthRestored = "health.restored", High, [Metrics, Logs] {
        check: &'a str = "what was looked at",
    }
    /// Spans reached the receiver of traces.
    TracesExported = "traces.exported", Low, [Metrics] {
        span_count: u64 = "how many",
    }
    /// Spans were given up: the receiver could not be reached, or too many waited.
    TracesDropped = "traces.dropped", High, [Metrics, Logs] {
        span_count: u64 = "how many",
        reason: &'a str = "why",
    }
    /// Somebody changed at run time where an event goes.
    RouteChanged = "route.changed", High, [Metrics, Logs] {
        route: &'a str = "the event",
        by: &'a str = "who: the correlation id of the request",
    }
    /// Somebody changed the level of the log at run time.
    LogLevelChanged = "log.level_changed", High, [Metrics, Logs] {
        level: &'a str = "what is written from now on",
        by: &'a str = "who: the correlation id of the request",
    }
    /// A durable subscriber took over its place in the feed.
    SubscriberStarted = "subscriber.started", Normal, [Metrics, Logs] {
        subscriber: &'a str = "its name",
        position: i64 = "the number of the last transition that was taken before",
    }
    /// A durable subscriber cannot deliver; it tries again, and events wait for it in the feed.
    SubscriberStalled = "subscriber.stalled", High, [Metrics, Logs] {
        subscriber: &'a str = "its name",
        error_message: &'a str = "what went wrong",
    }
    /// A durable subscriber delivers again.
    SubscriberRecovered = "subscriber.recovered", High, [Metrics, Logs] {
        subscriber: &'a str = "its name",
    }
    /// A receiver refused an event for good; it is left out.
    SubscriberRefused = "subscriber.refused", Critical, [Metrics, Logs] {
        subscriber: &'a str = "its name",
        event: &'a str = "the event",
        error_message: &'a str = "what the receiver answered",
    }
    /// A subscriber failed to take an event, or took too long.
    SubscriberFailed = "subscriber.failed", Critical, [Metrics, Logs] {
        subscriber: &'a str = "its name",
        event: &'a str = "the event",
        error_message: &'a str = "what went wrong",
    }
}

const _: () = assert!(EventId::ALL.len() <= 128, "sets of events have 128 places");
