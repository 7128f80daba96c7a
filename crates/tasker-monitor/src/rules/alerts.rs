//! What somebody should be told.
//!
//! Queries stand on the metrics alone and not on the recordings, so that either file can be loaded without the other.
//! A series that appears with its first count has no increase yet: where one count matters, `unless … offset` finds it.

use super::Alert;
use super::Severity::{Critical, Notice, Warning};

/// All alerts by what they are about.
pub(super) const GROUPS: &[(&str, &[Alert])] = &[
    ("processes", PROCESSES),
    ("store", STORE),
    ("queues", QUEUES),
    ("work", WORK),
    ("leases", LEASES),
    ("observation", OBSERVATION),
];

const PROCESSES: &[Alert] = &[
    Alert {
        name: "TaskerProcessDown",
        severity: Critical,
        query: r#"up{job="tasker"} == 0"#,
        lasts: "2m",
        summary: "{{ $labels.instance }} does not answer",
        description: "Prometheus has not been able to read the metrics of {{ $labels.instance }} for two minutes: the process has ended, hangs, or cannot be reached.",
    },
    Alert {
        name: "TaskerNothingScraped",
        severity: Critical,
        query: "absent(tasker_build_info)",
        lasts: "5m",
        summary: "No process of Tasker is seen",
        description: "Not one server or worker has given its metrics for five minutes. Either none runs, or Prometheus looks in the wrong place; until then no other alert can be told.",
    },
    Alert {
        name: "TaskerVersionsDiffer",
        severity: Notice,
        query: "count(count by (version) (tasker_build_info)) > 1",
        lasts: "1h",
        summary: "{{ $value }} versions of Tasker run side by side",
        description: "That is how an upgrade looks while it is under way; after an hour somebody may have forgotten a process.",
    },
];

const STORE: &[Alert] = &[
    Alert {
        name: "TaskerStoreDown",
        severity: Critical,
        query: "tasker_store_up == 0",
        lasts: "1m",
        summary: "{{ $labels.instance }} cannot reach its database",
        description: "The database has not answered {{ $labels.instance }} for a minute. Nothing is lost, and nothing goes on: no task is taken, no attempt begins or ends.",
    },
    Alert {
        name: "TaskerStoreFails",
        severity: Warning,
        query: r#"sum by (instance) (rate(tasker_events_total{event="database.query_failed"}[5m])) > 0.1"#,
        lasts: "5m",
        summary: "The database fails what {{ $labels.instance }} asks",
        description: "{{ $labels.instance }} has got {{ $value | humanize }} errors a second from its database for five minutes. The log of the process says which.",
    },
    Alert {
        name: "TaskerStoreSlow",
        severity: Warning,
        query: "histogram_quantile(0.95, sum by (le, instance) (rate(tasker_store_call_duration_seconds_bucket[5m]))) > 0.5",
        lasts: "10m",
        summary: "The database answers {{ $labels.instance }} slowly",
        description: "One in twenty calls of {{ $labels.instance }} takes longer than {{ $value | humanizeDuration }}. Every step costs a few calls, so that all work goes as slowly.",
    },
];

const QUEUES: &[Alert] = &[
    Alert {
        name: "TaskerNoWorkerForReadySteps",
        severity: Critical,
        query: r#"max by (namespace, queue, handler) (tasker_oldest_ready_step_age_seconds) > 60 unless on () (sum(tasker_worker_slots{state="free"}) == 0)"#,
        lasts: "2m",
        summary: "Nobody takes steps of handler {{ $labels.handler }} in queue {{ $labels.queue }}",
        description: "A step of namespace {{ $labels.namespace }} has been ready for {{ $value | humanizeDuration }}, although no worker is too busy for it: none runs, or none of those that run offers {{ $labels.handler }} and serves {{ $labels.queue }}.",
    },
    Alert {
        name: "TaskerQueueWaitsLong",
        severity: Warning,
        query: "max by (namespace, queue, handler) (tasker_oldest_ready_step_age_seconds) > 300",
        lasts: "5m",
        summary: "Steps wait in queue {{ $labels.queue }} of namespace {{ $labels.namespace }}",
        description: "The oldest ready step of handler {{ $labels.handler }} has been waiting for {{ $value | humanizeDuration }}. More is submitted than is worked off.",
    },
    Alert {
        name: "TaskerTasksLate",
        severity: Warning,
        query: "max(tasker_late_tasks) > 0",
        lasts: "10m",
        summary: "{{ $value }} tasks are late",
        description: "{{ $value }} tasks should have ended and have not for ten minutes at least.",
    },
    Alert {
        name: "TaskerWorkersBusy",
        severity: Warning,
        query: r#"sum(tasker_worker_slots{state="busy"}) / sum(tasker_worker_slots) > 0.95"#,
        lasts: "15m",
        summary: "{{ $value | humanizePercentage }} of all worker slots are busy",
        description: "For a quarter of an hour there has been hardly a free slot. What is submitted now waits before it begins.",
    },
];

const WORK: &[Alert] = &[
    Alert {
        name: "TaskerTasksFail",
        severity: Warning,
        query: r#"sum by (namespace, task) (rate(tasker_tasks_total{outcome="failed"}[10m])) / sum by (namespace, task) (rate(tasker_tasks_total{outcome=~"completed|failed"}[10m])) > 0.05"#,
        lasts: "5m",
        summary: "{{ $value | humanizePercentage }} of tasks {{ $labels.namespace }}.{{ $labels.task }} fail",
        description: "Of the tasks {{ $labels.namespace }}.{{ $labels.task }} that ended in the last ten minutes, {{ $value | humanizePercentage }} are in error. They stay there until somebody retries, resolves or cancels them.",
    },
    Alert {
        name: "TaskerStepsRetry",
        severity: Warning,
        query: r#"sum by (namespace, task, step) (rate(tasker_step_attempts_total{outcome="retried"}[15m])) / sum by (namespace, task, step) (rate(tasker_step_attempts_total{outcome=~"completed|failed"}[15m])) > 0.2"#,
        lasts: "15m",
        summary: "Step {{ $labels.step }} of {{ $labels.namespace }}.{{ $labels.task }} is retried again and again",
        description: "{{ $value | humanizePercentage }} of its attempts fail and are made again. It still gets there, but what it depends on is unwell.",
    },
];

const LEASES: &[Alert] = &[
    Alert {
        name: "TaskerLeasesExpire",
        severity: Warning,
        query: r#"sum by (instance) ((tasker_events_total{event="lease.expired"} unless tasker_events_total{event="lease.expired"} offset 10m) or increase(tasker_events_total{event="lease.expired"}[10m])) > 0"#,
        lasts: "0m",
        summary: "Workers vanish in the middle of steps",
        description: r#"{{ $labels.instance }} gave up {{ printf "%.0f" $value }} attempts in ten minutes, as their workers no longer renewed the leases: they were killed, froze, or lost the database."#,
    },
    Alert {
        name: "TaskerResultsComeTooLate",
        severity: Warning,
        query: r#"sum by (instance, outcome) (increase(tasker_worker_attempts_total{outcome=~"stale|lost|unsettled"}[10m])) > 0"#,
        lasts: "0m",
        summary: "{{ $labels.instance }} does work that does not count",
        description: r#"{{ printf "%.0f" $value }} attempts of {{ $labels.instance }} ended as {{ $labels.outcome }} in ten minutes: what they did is done again by another worker."#,
    },
];

const OBSERVATION: &[Alert] = &[
    Alert {
        name: "TaskerSubscribersFail",
        severity: Warning,
        query: r#"sum by (instance) ((tasker_events_total{event="subscriber.failed"} unless tasker_events_total{event="subscriber.failed"} offset 10m) or increase(tasker_events_total{event="subscriber.failed"}[10m])) > 0"#,
        lasts: "0m",
        summary: "Subscribers of {{ $labels.instance }} do not take their events",
        description: r#"Subscribers failed {{ printf "%.0f" $value }} times in ten minutes, or took too long. The log of {{ $labels.instance }} names them."#,
    },
    Alert {
        name: "TaskerEventsDropped",
        severity: Warning,
        query: "sum by (instance) ((tasker_events_dropped_total unless tasker_events_dropped_total offset 10m) or increase(tasker_events_dropped_total[10m])) > 0",
        lasts: "0m",
        summary: "{{ $labels.instance }} drops events",
        description: r#"{{ $labels.instance }} dropped {{ printf "%.0f" $value }} events in ten minutes, as subscribers or sinks took them too slowly. Work is not affected; what was to be told of it is incomplete."#,
    },
    Alert {
        name: "TaskerSeriesOverflow",
        severity: Notice,
        query: "sum by (metric) (tasker_metrics_overflows_total) > 0",
        lasts: "0m",
        summary: "{{ $labels.metric }} has too many series",
        description: "A label of {{ $labels.metric }} has taken more values than are kept apart; the others are counted together as __other__.",
    },
];
