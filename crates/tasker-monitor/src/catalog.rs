//! Every metric that a process has by itself.

mod queries;

use std::fmt::Write;

use tasker_metrics::{Bounds, Description, Kind, Merge, Unit};

pub use queries::{QueryError, check_query};

/// From one table: the metrics by name, and what is true of each.
macro_rules! catalog {
    ($($metric:ident = $name:literal [$($label:literal),*] $unit:ident $kind:expr, $help:literal;)*) => {
        /// A metric that a process has by itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric { $(#[doc = $help] $metric,)* }

        impl Metric {
            /// By name.
            pub const ALL: &'static [Self] = &[$(Self::$metric,)*];

            /// The name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$metric => $name,)* }
            }

            fn help(self) -> &'static str {
                match self { $(Self::$metric => $help,)* }
            }

            fn labels(self) -> &'static [&'static str] {
                match self { $(Self::$metric => &[$($label),*],)* }
            }

            fn kind(self) -> Kind {
                match self { $(Self::$metric => $kind,)* }
            }

            fn unit(self) -> Unit {
                match self { $(Self::$metric => Unit::$unit,)* }
            }
        }
    };
}

/// The bounds by which stores count commits.
const COMMIT_SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const COMMIT_ROWS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];

const MOST: Kind = Kind::Gauge(Merge::Max);
const SUM: Kind = Kind::Gauge(Merge::Sum);

catalog! {
    Build = "tasker_build_info" ["version"] One MOST,
        "1, with the version of the program.";
    CommitSeconds = "tasker_commit_duration_seconds" [] Seconds
        Kind::Histogram(Bounds::in_units(Unit::Seconds, &COMMIT_SECONDS)),
        "How long transactions for the work took that this process committed.";
    CommitSize = "tasker_commit_size_rows" [] One Kind::Histogram(Bounds::in_units(Unit::One, &COMMIT_ROWS)),
        "About how many rows each of them was about: submissions, settlements, renewals, claims and commands together.";
    EventsDropped = "tasker_events_dropped_total" [] One Kind::Counter,
        "Events that were left out for subscribers in this process, as too many waited.";
    Events = "tasker_events_total" ["event"] One Kind::Counter,
        "Events that are counted, as reference/events.md lists them.";
    HandlerSeconds = "tasker_handler_duration_seconds" ["namespace", "task", "step", "outcome"] Seconds
        Kind::Histogram(Bounds::of_work()),
        "How long handlers took in this process, from call to answer, by outcome: done, retry, fail, snooze.";
    LateTasks = "tasker_late_tasks" ["namespace"] One MOST,
        "Tasks that were asked for more than a minute ago, that nobody has begun and nobody has paused; no more than \
         10,000 are counted.";
    LeaseExpiries = "tasker_lease_expiries_total" ["namespace", "task", "step"] One Kind::Counter,
        "Attempts that this process gave up for their workers, as their leases had run out.";
    OldestReady = "tasker_oldest_ready_step_age_seconds" ["namespace", "queue", "handler"] Seconds MOST,
        "How long the oldest step has been ready that nobody has claimed, where there is one. \
         Paused tasks and namespaces are left out.";
    OldestRunning = "tasker_oldest_running_step_age_seconds" ["namespace", "queue", "handler"] Seconds MOST,
        "How long the oldest attempt has been at work that has not ended, where there is one.";
    ReadySteps = "tasker_ready_steps" ["namespace", "queue", "handler"] One MOST,
        "Steps that are ready and that nobody has claimed; no more than 10,000 of each priority are counted. \
         Paused tasks and namespaces are left out.";
    RunningSteps = "tasker_running_steps" ["namespace", "queue", "handler"] One MOST,
        "Steps that are at work.";
    RuntimeTasks = "tasker_runtime_alive_tasks" [] One SUM,
        "Asynchronous tasks in this process that have not ended.";
    Spans = "tasker_spans_total" ["outcome"] One Kind::Counter,
        "Spans of this process by what became of them: exported; dropped, as too many waited; failed, as the collector \
         did not take them. Only where traces are on.";
    StepSeconds = "tasker_step_attempt_duration_seconds" ["namespace", "task", "step", "outcome"] Seconds
        Kind::Histogram(Bounds::of_work()),
        "How long attempts took whose end this process recorded, from lease to end, by outcome: completed, failed.";
    StepAttempts = "tasker_step_attempts_total" ["namespace", "task", "step", "outcome"] One Kind::Counter,
        "Attempts by what became of them in this process: begun, completed, failed, snoozed; retried are those \
         of the failed after which another follows by itself.";
    StepQueue = "tasker_step_queue_seconds" ["namespace", "task", "step"] Seconds Kind::Histogram(Bounds::of_work()),
        "How long steps had been ready when this process claimed them.";
    Retries = "tasker_step_retries_total" ["namespace", "task", "step"] One Kind::Counter,
        "Attempts that failed in this process, after which another follows by itself.";
    Calls = "tasker_store_call_duration_seconds" ["operation"] Seconds Kind::Histogram(Bounds::of_answers()),
        "How long the database took to answer, waiting for others included.";
    Commits = "tasker_store_commits_total" [] One Kind::Counter,
        "Transactions that this process committed for the work.";
    Up = "tasker_store_up" [] One Kind::Gauge(Merge::Min),
        "Whether the database answers: 1 or 0.";
    SubscriberEvents = "tasker_subscriber_events_total" ["subscriber", "outcome"] One Kind::Counter,
        "Events for durable subscribers in this process: taken; refused by the receiver for good; retried, once for each \
         attempt that failed.";
    TaskSeconds = "tasker_task_duration_seconds" ["namespace", "task", "outcome"] Seconds
        Kind::Histogram(Bounds::of_work()),
        "How long tasks took that ended, from submission on, by outcome: completed, failed.";
    Tasks = "tasker_tasks_total" ["namespace", "task", "outcome"] One Kind::Counter,
        "Tasks by what became of them in this process: submitted, started, completed, failed, cancelled, resolved.";
    TracesMissed = "tasker_traces_missed_total" [] One Kind::Counter,
        "Tasks that ended and whose traces could not be written. Only where traces are on.";
    Attempts = "tasker_worker_attempts_total" ["outcome"] One Kind::Counter,
        "Attempts that ended in this process, by outcome: completed; retried and failed, with and without \
         another attempt allowed; snoozed; stale, when the end came too late; lost, when the lease was; \
         unsettled, when the end could not be recorded.";
    Slots = "tasker_worker_slots" ["state"] One SUM,
        "How many attempts can be made at once in this process: busy ones and free ones.";
}

impl Metric {
    /// As it is registered.
    pub fn declaration(self) -> (Description, Kind) {
        let described = Description::new(self.name(), self.help()).labels(self.labels()).unit(self.unit());
        (described, self.kind())
    }
}

const OPENING: &str = "\
<!-- Written by `cargo xtask gen` from crates/tasker-monitor/src/catalog.rs. -->

# Metrics

tasker-server answers `GET /metrics` at `http.listen`, tasker-worker at `worker.health_listen`. Those of several processes
become one as the last column says; times are in seconds.

| Metric | Kind | Labels | Meaning | Merged |
|---|---|---|---|---|
";

/// The text of `docs/reference/metrics.md`.
pub fn metrics_reference() -> String {
    let mut page = String::from(OPENING);
    for metric in Metric::ALL {
        let (kind, merged) = match metric.kind() {
            Kind::Counter => ("counter", "sum"),
            Kind::Gauge(Merge::Sum) => ("gauge", "sum"),
            Kind::Gauge(Merge::Max) => ("gauge", "greatest"),
            Kind::Gauge(Merge::Min) => ("gauge", "least"),
            Kind::Histogram(_) | Kind::Exponential(_) => ("histogram", "sum"),
        };
        let labels: Vec<_> = metric.labels().iter().map(|label| format!("`{label}`")).collect();
        let (name, labels, help) = (metric.name(), labels.join(", "), metric.help());
        writeln!(page, "| `{name}` | {kind} | {labels} | {help} | {merged} |")
            .expect("invariant: a String takes all");
    }
    page
}

#[cfg(test)]
mod tests {
    use tasker_metrics::Registry;

    use super::*;

    #[test]
    fn every_metric_can_be_registered_and_stands_in_its_place() {
        let registry = Registry::default();
        for metric in Metric::ALL {
            let (description, kind) = metric.declaration();
            let registered = match kind {
                Kind::Counter => registry.counter(description).map(drop),
                Kind::Gauge(merge) => registry.gauge(description, merge).map(drop),
                Kind::Histogram(bounds) => registry.histogram(description, bounds).map(drop),
                Kind::Exponential(scale) => registry.exponential(description, scale).map(drop),
            };
            assert_eq!(registered, Ok(()));
        }
        assert!(Metric::ALL.is_sorted_by_key(|metric| metric.name()));
    }
}
