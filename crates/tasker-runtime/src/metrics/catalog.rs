//! Every metric that a process has by itself.

use std::fmt::Write;

use tasker_metrics::{Description, Kind, Merge, Unit};

/// A metric that a process has by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Attempts,
    Build,
    Commits,
    OldestReady,
    Slots,
    Up,
}

impl Known {
    /// By name.
    const ALL: [Self; 6] =
        [Self::Build, Self::OldestReady, Self::Commits, Self::Up, Self::Attempts, Self::Slots];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Build => "tasker_build_info",
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
            Self::Commits | Self::Up => &[],
            Self::Attempts => &["outcome"],
            Self::Slots => &["state"],
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Attempts | Self::Commits => Kind::Counter,
            Self::Build | Self::OldestReady => Kind::Gauge(Merge::Max),
            Self::Slots => Kind::Gauge(Merge::Sum),
            Self::Up => Kind::Gauge(Merge::Min),
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::OldestReady => Unit::Seconds,
            Self::Attempts | Self::Build | Self::Commits | Self::Slots | Self::Up => Unit::One,
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
            Kind::Histogram(_) => ("histogram", "sum"),
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
            };
            assert_eq!(registered, Ok(()));
        }
        assert!(Known::ALL.is_sorted_by_key(|metric| metric.name()));
    }
}
