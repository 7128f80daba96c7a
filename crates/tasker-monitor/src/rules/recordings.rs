//! What is asked for so often, or over such long times, that its answers are kept.

use super::Recording;

/// All recordings.
pub(super) const RECORDINGS: [Recording; 9] = [
    Recording {
        name: "namespace_task_outcome:tasker_tasks:rate5m",
        query: "sum by (namespace, task, outcome) (rate(tasker_tasks_total[5m]))",
    },
    Recording {
        name: "namespace_task:tasker_tasks_failed:ratio_rate5m",
        query: r#"sum by (namespace, task) (rate(tasker_tasks_total{outcome="failed"}[5m])) / sum by (namespace, task) (rate(tasker_tasks_total{outcome=~"completed|failed"}[5m]))"#,
    },
    Recording {
        name: "namespace_task:tasker_task_duration_seconds:p95_5m",
        query: "histogram_quantile(0.95, sum by (le, namespace, task) (rate(tasker_task_duration_seconds_bucket[5m])))",
    },
    Recording {
        name: "namespace_task_step_outcome:tasker_step_attempts:rate5m",
        query: "sum by (namespace, task, step, outcome) (rate(tasker_step_attempts_total[5m]))",
    },
    Recording {
        name: "namespace_task_step:tasker_step_attempt_duration_seconds:p95_5m",
        query: "histogram_quantile(0.95, sum by (le, namespace, task, step) (rate(tasker_step_attempt_duration_seconds_bucket[5m])))",
    },
    Recording {
        name: "namespace_queue_handler:tasker_oldest_ready_step_age_seconds:max",
        query: "max by (namespace, queue, handler) (tasker_oldest_ready_step_age_seconds)",
    },
    Recording {
        name: "job:tasker_worker_slots_busy:ratio",
        query: r#"sum by (job) (tasker_worker_slots{state="busy"}) / sum by (job) (tasker_worker_slots)"#,
    },
    Recording {
        name: "operation:tasker_store_call_duration_seconds:p95_5m",
        query: "histogram_quantile(0.95, sum by (le, operation) (rate(tasker_store_call_duration_seconds_bucket[5m])))",
    },
    Recording {
        name: "job:tasker_store_commits:rate5m",
        query: "sum by (job) (rate(tasker_store_commits_total[5m]))",
    },
];
