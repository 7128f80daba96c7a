//! What the dashboard shows.
//!
//! What several processes say of the same database is not added up: of ages the greatest counts.

use super::Limits::{Above, Neutral, One};
use super::Shape::{Areas, Heat, Lines, Number, Table};
use super::Unit::{Count, PerSecond, Seconds, Share};
use super::{Panel, Row};

/// All rows.
pub(super) const ROWS: [Row; 6] = [
    Row { title: "Overview", panels: OVERVIEW },
    Row { title: "Queues", panels: QUEUES },
    Row { title: "Steps", panels: STEPS },
    Row { title: "Workers", panels: WORKERS },
    Row { title: "Store", panels: STORE },
    Row { title: "Events", panels: EVENTS },
];

const OVERVIEW: &[Panel] = &[
    Panel {
        title: "Tasks completed",
        about: "Tasks that ended well, per second.",
        shape: Number(Neutral),
        unit: PerSecond,
        width: 4,
        queries: &[(
            "completed",
            r#"sum(rate(tasker_tasks_total{namespace=~"$namespace", task=~"$task", outcome="completed"}[$__rate_interval])) or vector(0)"#,
        )],
    },
    Panel {
        title: "Tasks that fail",
        about: "The share of tasks that ended in error, of those that ended by themselves.",
        shape: Number(Above(10, 50)),
        unit: Share,
        width: 4,
        queries: &[(
            "failed",
            r#"sum(rate(tasker_tasks_total{namespace=~"$namespace", task=~"$task", outcome="failed"}[$__rate_interval])) / sum(rate(tasker_tasks_total{namespace=~"$namespace", task=~"$task", outcome=~"completed|failed"}[$__rate_interval])) or vector(0)"#,
        )],
    },
    Panel {
        title: "Oldest ready step",
        about: "How long the step has been ready that has waited longest. It should be far below what a user waits for.",
        shape: Number(Above(30_000, 300_000)),
        unit: Seconds,
        width: 4,
        queries: &[(
            "oldest",
            r#"max(tasker_oldest_ready_step_age_seconds{namespace=~"$namespace"}) or vector(0)"#,
        )],
    },
    Panel {
        title: "Busy slots",
        about: "The share of worker slots that make an attempt. Near 100 % work waits for workers.",
        shape: Number(Above(800, 950)),
        unit: Share,
        width: 4,
        queries: &[("busy", r#"sum(tasker_worker_slots{state="busy"}) / sum(tasker_worker_slots)"#)],
    },
    Panel {
        title: "Database",
        about: "1 if it answers every process, 0 if there is one that it does not answer.",
        shape: Number(One),
        unit: Count,
        width: 4,
        queries: &[("answers", "min(tasker_store_up)")],
    },
    Panel {
        title: "Processes",
        about: "Servers and workers, by version.",
        shape: Number(Neutral),
        unit: Count,
        width: 4,
        queries: &[("{{version}}", "count by (version) (tasker_build_info)")],
    },
    Panel {
        title: "Tasks by what became of them",
        about: "Tasks per second. Where more is submitted than ends, a backlog grows.",
        shape: Lines,
        unit: PerSecond,
        width: 12,
        queries: &[(
            "{{outcome}}",
            r#"sum by (outcome) (rate(tasker_tasks_total{namespace=~"$namespace", task=~"$task"}[$__rate_interval]))"#,
        )],
    },
    Panel {
        title: "How long tasks take",
        about: "From submission to the end, well or in error: half of the tasks are quicker than p50, 95 of 100 quicker than p95.",
        shape: Lines,
        unit: Seconds,
        width: 12,
        queries: &[
            (
                "p50",
                r#"histogram_quantile(0.5, sum by (le) (rate(tasker_task_duration_seconds_bucket{namespace=~"$namespace", task=~"$task"}[$__rate_interval])))"#,
            ),
            (
                "p95",
                r#"histogram_quantile(0.95, sum by (le) (rate(tasker_task_duration_seconds_bucket{namespace=~"$namespace", task=~"$task"}[$__rate_interval])))"#,
            ),
            (
                "p99",
                r#"histogram_quantile(0.99, sum by (le) (rate(tasker_task_duration_seconds_bucket{namespace=~"$namespace", task=~"$task"}[$__rate_interval])))"#,
            ),
        ],
    },
];

const QUEUES: &[Panel] = &[
    Panel {
        title: "Oldest ready step, by queue and handler",
        about: "A line that rises by a second per second belongs to a handler that nobody offers.",
        shape: Lines,
        unit: Seconds,
        width: 12,
        queries: &[(
            "{{namespace}} {{queue}} {{handler}}",
            r#"max by (namespace, queue, handler) (tasker_oldest_ready_step_age_seconds{namespace=~"$namespace"})"#,
        )],
    },
    Panel {
        title: "Ready steps, by queue and handler",
        about: "Steps that only wait for a worker: the backlog.",
        shape: Areas,
        unit: Count,
        width: 12,
        queries: &[(
            "{{namespace}} {{queue}} {{handler}}",
            r#"max by (namespace, queue, handler) (tasker_ready_steps{namespace=~"$namespace"})"#,
        )],
    },
    Panel {
        title: "How long steps wait for a worker",
        about: "From when a step became ready to when a worker took it: half of them wait less than p50, 95 of 100 less than p95.",
        shape: Lines,
        unit: Seconds,
        width: 12,
        queries: &[
            (
                "p50",
                r#"histogram_quantile(0.5, sum by (le) (rate(tasker_step_queue_seconds_bucket{namespace=~"$namespace", task=~"$task"}[$__rate_interval])))"#,
            ),
            (
                "p95",
                r#"histogram_quantile(0.95, sum by (le) (rate(tasker_step_queue_seconds_bucket{namespace=~"$namespace", task=~"$task"}[$__rate_interval])))"#,
            ),
        ],
    },
    Panel {
        title: "In and out",
        about: "Tasks submitted and tasks ended per second, whatever their end.",
        shape: Lines,
        unit: PerSecond,
        width: 12,
        queries: &[
            (
                "submitted",
                r#"sum(rate(tasker_tasks_total{namespace=~"$namespace", task=~"$task", outcome="submitted"}[$__rate_interval])) or vector(0)"#,
            ),
            (
                "ended",
                r#"sum(rate(tasker_tasks_total{namespace=~"$namespace", task=~"$task", outcome!="submitted"}[$__rate_interval])) or vector(0)"#,
            ),
        ],
    },
];

const STEPS: &[Panel] = &[
    Panel {
        title: "Attempts by what became of them",
        about: "Attempts per second; retried ones are some of the failed.",
        shape: Lines,
        unit: PerSecond,
        width: 12,
        queries: &[(
            "{{outcome}}",
            r#"sum by (outcome) (rate(tasker_step_attempts_total{namespace=~"$namespace", task=~"$task"}[$__rate_interval]))"#,
        )],
    },
    Panel {
        title: "Slowest steps, p95",
        about: "The ten steps whose attempts take longest, from the lease to the end.",
        shape: Lines,
        unit: Seconds,
        width: 12,
        queries: &[(
            "{{namespace}}.{{task}} {{step}}",
            r#"topk(10, histogram_quantile(0.95, sum by (le, namespace, task, step) (rate(tasker_step_attempt_duration_seconds_bucket{namespace=~"$namespace", task=~"$task"}[$__rate_interval]))))"#,
        )],
    },
    Panel {
        title: "Oldest running step",
        about: "How long the attempt has been going on that began first.",
        shape: Lines,
        unit: Seconds,
        width: 12,
        queries: &[("oldest", "max(tasker_oldest_running_step_age_seconds) or vector(0)")],
    },
    Panel {
        title: "Late tasks",
        about: "Tasks that should have ended and have not.",
        shape: Lines,
        unit: Count,
        width: 12,
        queries: &[("late", "max(tasker_late_tasks) or vector(0)")],
    },
    Panel {
        title: "How long attempts take",
        about: "Each column is a moment, each cell how many attempts took so long.",
        shape: Heat,
        unit: Count,
        width: 12,
        queries: &[(
            "{{le}}",
            r#"sum by (le) (increase(tasker_step_attempt_duration_seconds_bucket{namespace=~"$namespace", task=~"$task"}[$__rate_interval]))"#,
        )],
    },
    Panel {
        title: "Steps that fail most",
        about: "Failed attempts in the chosen time, the final ones and those that were retried.",
        shape: Table,
        unit: Count,
        width: 12,
        queries: &[(
            "{{step}}",
            r#"topk(20, sum by (namespace, task, step, outcome) ((tasker_step_attempts_total{namespace=~"$namespace", task=~"$task", outcome=~"failed|retried"} unless tasker_step_attempts_total{namespace=~"$namespace", task=~"$task", outcome=~"failed|retried"} offset $__range) or increase(tasker_step_attempts_total{namespace=~"$namespace", task=~"$task", outcome=~"failed|retried"}[$__range])) > 0)"#,
        )],
    },
];

const WORKERS: &[Panel] = &[
    Panel {
        title: "Slots",
        about: "How many attempts the workers make at once, and how many more they could.",
        shape: Areas,
        unit: Count,
        width: 8,
        queries: &[("{{state}}", "sum by (state) (tasker_worker_slots)")],
    },
    Panel {
        title: "Attempts by worker",
        about: "Attempts that ended per second, by process.",
        shape: Areas,
        unit: PerSecond,
        width: 8,
        queries: &[(
            "{{instance}}",
            "sum by (instance) (rate(tasker_worker_attempts_total[$__rate_interval]))",
        )],
    },
    Panel {
        title: "Work that does not count",
        about: "Attempts per second whose end came too late, whose lease was lost, or whose end could not be recorded. Their steps are done again.",
        shape: Lines,
        unit: PerSecond,
        width: 8,
        queries: &[(
            "{{instance}} {{outcome}}",
            r#"sum by (instance, outcome) (rate(tasker_worker_attempts_total{outcome=~"stale|lost|unsettled"}[$__rate_interval]))"#,
        )],
    },
];

const STORE: &[Panel] = &[
    Panel {
        title: "How long the database takes, p95",
        about: "By what it is asked. What every step needs are claim and settle.",
        shape: Lines,
        unit: Seconds,
        width: 12,
        queries: &[(
            "{{operation}}",
            "histogram_quantile(0.95, sum by (le, operation) (rate(tasker_store_call_duration_seconds_bucket[$__rate_interval])))",
        )],
    },
    Panel {
        title: "Calls",
        about: "What the database is asked, per second.",
        shape: Areas,
        unit: PerSecond,
        width: 12,
        queries: &[(
            "{{operation}}",
            "sum by (operation) (rate(tasker_store_call_duration_seconds_count[$__rate_interval]))",
        )],
    },
    Panel {
        title: "Steps per commit",
        about: "How many steps share a transaction: one when there is little to do, many under load.",
        shape: Lines,
        unit: Count,
        width: 12,
        queries: &[(
            "mean",
            "sum(rate(tasker_commit_size_rows_sum[$__rate_interval])) / sum(rate(tasker_commit_size_rows_count[$__rate_interval]))",
        )],
    },
    Panel {
        title: "Commits and errors",
        about: "Transactions per second, and calls that the database failed. Many calls share a commit under load.",
        shape: Lines,
        unit: PerSecond,
        width: 12,
        queries: &[
            (
                "commits {{instance}}",
                "sum by (instance) (rate(tasker_store_commits_total[$__rate_interval]))",
            ),
            (
                "errors",
                r#"sum(rate(tasker_events_total{event="database.query_failed"}[$__rate_interval])) or vector(0)"#,
            ),
        ],
    },
];

const EVENTS: &[Panel] = &[
    Panel {
        title: "Events",
        about: "What happens most, per second; docs/reference/events.md says what each means.",
        shape: Lines,
        unit: PerSecond,
        width: 12,
        queries: &[("{{event}}", "topk(15, sum by (event) (rate(tasker_events_total[$__rate_interval])))")],
    },
    Panel {
        title: "Trouble",
        about: "What should not happen: leases that end before their work does, errors of the database, slow calls, subscribers that fail.",
        shape: Lines,
        unit: PerSecond,
        width: 12,
        queries: &[
            (
                "leases expired",
                r#"sum(rate(tasker_events_total{event="lease.expired"}[$__rate_interval])) or vector(0)"#,
            ),
            (
                "leases lost or fenced",
                r#"sum(rate(tasker_events_total{event=~"lease.lost|lease.fenced"}[$__rate_interval])) or vector(0)"#,
            ),
            (
                "database errors",
                r#"sum(rate(tasker_events_total{event="database.query_failed"}[$__rate_interval])) or vector(0)"#,
            ),
            (
                "slow operations",
                r#"sum(rate(tasker_events_total{event="performance.slow_operation"}[$__rate_interval])) or vector(0)"#,
            ),
            (
                "subscribers failed",
                r#"sum(rate(tasker_events_total{event="subscriber.failed"}[$__rate_interval])) or vector(0)"#,
            ),
            ("events dropped", "sum(rate(tasker_events_dropped_total[$__rate_interval])) or vector(0)"),
            ("series overflowed", "sum(rate(tasker_metrics_overflows_total[$__rate_interval])) or vector(0)"),
        ],
    },
];
