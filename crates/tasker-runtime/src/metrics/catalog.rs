//! Every metric that a process has by itself.

mod queries;

use std::fmt::Write;

use tasker_metrics::{Bounds, Description, Kind, Merge, Unit};

pub use queries::{QueryError, check_query};

/// A metric that a process has by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Attempts,
    Build,
    Calls,
    Commits,
    Events,
    OldestReady,
    Slots,
    StepAttempts,
    StepSeconds,
    Tasks,
    TaskSeconds,
    Up,
}

impl Known {
    /// By name.
    const ALL: [Self; 12] = [
        Self::Build,
        Self::Events,
        Self::OldestReady,
        Self::StepSeconds,
        Self::StepAttempts,
        Self::Calls,
        Self::Commits,
        Self::Up,
        Self::TaskSeconds,
        Self::Tasks,
        Self::Attempts,
        Self::Slots,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Build => "tasker_build_info",
            Self::Events => "tasker_events_total",
            Self::StepSeconds => "tasker_step_attempt_duration_seconds",
            Self::StepAttempts => "tasker_step_attempts_total",
            Self::Calls => "tasker_store_call_duration_seconds",
            Self::TaskSeconds => "tasker_task_duration_seconds",
            Self::Tasks => "tasker_tasks_total",
            Self::OldestReady => "tasker_oldest_ready_step_age_seconds",
            Self::Commits => "tasker_store_commits_total",
            Self::Up => "tasker_store_up",
            Self::Attempts => "tasker_worker_attempts_total",
            Self::Slots => "tasker_worker_slots",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Build => "1, with the version of the program.",
            Self::Events => "Events that are counted, as reference/events.md lists them.",
            Self::StepSeconds => {
                "How long attempts took whose end this process recorded, from lease to end, by outcome: completed, failed."
            }
            Self::StepAttempts => {
                "Attempts by what became of them in this process: begun, completed, failed, snoozed; retried are those \
                 of the failed after which another follows by itself."
            }
            Self::Calls => "How long the database took to answer, waiting for others included.",
            Self::TaskSeconds => {
                "How long tasks took that ended, from submission on, by outcome: completed, failed."
            }
            Self::Tasks => {
                "Tasks by what became of them in this process: submitted, completed, failed, cancelled, resolved."
            }
            Self::OldestReady => {
                "How long the oldest step has been ready that nobody has claimed, where there is one. \
                 Paused tasks and namespaces are left out."
            }
            Self::Commits => "Transactions that this process committed for the work.",
            Self::Up => "Whether the database answers: 1 or 0.",
            Self::Attempts => {
                "Attempts that ended in this process, by outcome: completed; retried and failed, with and without \
                 another attempt allowed; snoozed; stale, when the end came too late; lost, when the lease was; \
                 unsettled, when the end could not be recorded."
            }
            Self::Slots => "How many attempts can be made at once in this process: busy ones and free ones.",
        }
    }

    fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Build => &["version"],
            Self::OldestReady => &["namespace", "queue", "handler"],
            Self::Calls => &["operation"],
            Self::Commits | Self::Up => &[],
            Self::Events => &["event"],
            Self::StepAttempts | Self::StepSeconds => &["namespace", "task", "step", "outcome"],
            Self::Tasks | Self::TaskSeconds => &["namespace", "task", "outcome"],
            Self::Attempts => &["outcome"],
            Self::Slots => &["state"],
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Attempts | Self::Commits | Self::Events | Self::StepAttempts | Self::Tasks => Kind::Counter,
            Self::Calls => Kind::Histogram(Bounds::of_answers()),
            Self::StepSeconds | Self::TaskSeconds => Kind::Histogram(Bounds::of_work()),
            Self::Build | Self::OldestReady => Kind::Gauge(Merge::Max),
            Self::Slots => Kind::Gauge(Merge::Sum),
            Self::Up => Kind::Gauge(Merge::Min),
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Calls | Self::OldestReady | Self::StepSeconds | Self::TaskSeconds => Unit::Seconds,
            Self::Attempts
            | Self::Build
            | Self::Commits
            | Self::Events
            | Self::Slots
            | Self::StepAttempts
            | Self::Tasks
            | Self::Up => Unit::One,
        }
    }

    pub(super) fn declaration(self) -> (Description, Kind) {
        let described = Description::new(self.name(), self.help()).labels(self.labels()).unit(self.unit());
        (described, self.kind())
    }
}

const OPENING: &str = "\
<!-- Written by `cargo xtask gen` from crates/tasker-runtime/src/metrics/catalog.rs. -->

# Metrics

tasker-server answers `GET /metrics` at `http.listen`, tasker-worker at `worker.health_listen`. Those of several processes
become one as the last column says; times are in seconds.

| Metric | Kind | Labels | Meaning | Merged |
|---|---|---|---|---|
";

/// The text of `docs/reference/metrics.md`.
pub fn metrics_reference() -> String {
    let mut page = String::from(OPENING);
    for metric in Known::ALL {
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
        for metric in Known::ALL {
            let (description, kind) = metric.declaration();
            let registered = match kind {
                Kind::Counter => registry.counter(description).map(drop),
                Kind::Gauge(merge) => registry.gauge(description, merge).map(drop),
                Kind::Histogram(bounds) => registry.histogram(description, bounds).map(drop),
                Kind::Exponential(scale) => registry.exponential(description, scale).map(drop),
            };
            assert_eq!(registered, Ok(()));
        }
        assert!(Known::ALL.is_sorted_by_key(|metric| metric.name()));
    }
}
