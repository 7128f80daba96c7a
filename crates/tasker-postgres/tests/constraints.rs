//! Rows that the schema refuses: the invariants of the model, said once more.

use sqlx::AssertSqlSafe;
use support::{connection, execute, plan, store, submit};
use tasker_postgres::testing::TestDatabase;

mod support;

/// Changes that must fail, each with the constraint that stops it. The first step of the task is pending and
/// ready, the second waits for it.
const ILLEGAL: &[(&str, &str)] = &[
    ("steps_pending", "update tasker.steps set ready_at = null where ordinal = 0"),
    ("steps_pending", "update tasker.steps set ready_at = now() where ordinal = 1"),
    ("steps_unmet", "update tasker.steps set unmet = 2 where ordinal = 1"),
    ("\"count\"", "update tasker.steps set unmet = -1 where ordinal = 1"),
    ("\"count\"", "update tasker.steps set attempts = -1 where ordinal = 0"),
    ("\"count\"", "update tasker.steps set ordinal = -1 where ordinal = 0"),
    ("\"u32\"", "update tasker.steps set retry_limit = 4294967296 where ordinal = 0"),
    ("\"u32\"", "update tasker.steps set retry_limit = -1 where ordinal = 0"),
    ("steps_leased", "update tasker.steps set state = 'in_progress', ready_at = null where ordinal = 0"),
    (
        "steps_leased",
        "update tasker.steps set lease_until = now(), worker_id = gen_random_uuid() where ordinal = 0",
    ),
    ("steps_worker", "update tasker.steps set worker_id = gen_random_uuid() where ordinal = 0"),
    ("steps_worker", "update tasker.steps set state = 'in_progress', ready_at = null, lease_until = now()"),
    (
        "steps_ready",
        "update tasker.steps set state = 'in_progress', lease_until = now(), worker_id = gen_random_uuid() where ordinal = 0",
    ),
    ("steps_ready", "update tasker.steps set state = 'complete', ended_at = now() where ordinal = 0"),
    ("steps_ready", "update tasker.steps set state = 'cancelled', ended_at = now() where ordinal = 0"),
    (
        "steps_ready",
        "update tasker.steps set state = 'resolved_manually', ended_at = now() where ordinal = 0",
    ),
    ("steps_ended", "update tasker.steps set state = 'complete', ready_at = null where ordinal = 0"),
    ("steps_ended", "update tasker.steps set state = 'error' where ordinal = 0"),
    ("steps_ended", "update tasker.steps set state = 'cancelled', ready_at = null where ordinal = 0"),
    ("steps_ended", "update tasker.steps set state = 'resolved_manually', ready_at = null where ordinal = 0"),
    ("null value in column \"state\"", "update tasker.steps set state = null"),
    ("steps_pkey", "insert into tasker.steps select * from tasker.steps where ordinal = 0"),
    ("steps_task_id_fkey", "update tasker.steps set task_id = gen_random_uuid() where ordinal = 0"),
    ("steps_task_id_fkey", "delete from tasker.tasks"),
    ("\"count\"", "update tasker.tasks set active = -1"),
    ("\"count\"", "update tasker.tasks set active = -1, unfinished = -1"),
    ("tasks_counts", "update tasker.tasks set unfinished = 0"),
    ("tasks_ended", "update tasker.tasks set ended_at = now()"),
    ("tasks_ended", "update tasker.tasks set state = 'error', active = 0"),
    ("tasks_ended", "update tasker.tasks set state = 'complete', unfinished = 0, active = 0"),
    ("tasks_started", "update tasker.tasks set state = 'in_progress'"),
    ("tasks_active", "update tasker.tasks set state = 'error', ended_at = now()"),
    ("tasks_unfinished", "update tasker.tasks set state = 'complete', active = 0, ended_at = now()"),
    ("tasks_unfinished", "update tasker.tasks set state = 'cancelled', active = 0, ended_at = now()"),
    ("tasks_paused", "update tasker.tasks set paused_at = now()"),
    ("tasks_paused", "update tasker.tasks set paused_by = 'me'"),
    ("\"identity_hash\"", "update tasker.tasks set identity_hash = repeat('x', 129)"),
    ("tasks_identity_since", "update tasker.tasks set identity_since = now()"),
    ("tasks_identity_since", "update tasker.tasks set identity_hash = 'x'"),
    ("tasks_pkey", "insert into tasker.tasks select * from tasker.tasks"),
    ("namespaces_pause", "update tasker.namespaces set paused_at = now()"),
    ("namespaces_pause", "update tasker.namespaces set paused_reason = 'because'"),
    ("templates_digest", "update tasker.templates set digest = 'x'"),
    (
        "templates_current",
        "insert into tasker.templates (namespace, name, version, digest, definition, current, created_at) select namespace, name, version, decode(repeat('00', 32), 'hex'), definition, true, created_at from tasker.templates",
    ),
    ("edges_child", "update tasker.edges set child = parent"),
    ("\"count\"", "update tasker.edges set parent = -1"),
    ("plans_roots", "update tasker.plans set roots = steps + 1"),
    ("plan_steps_lane_id_fkey", "update tasker.plan_steps set lane_id = 99"),
    ("\"u32\"", "update tasker.plan_steps set retry_limit = -1"),
    (
        "lanes_handler_queue_namespace_priority_key",
        "insert into tasker.lanes (namespace, queue, handler, priority) select namespace, queue, handler, priority from tasker.lanes",
    ),
    ("\"attempt\"", "update tasker.transitions set attempt = 0"),
    ("invalid input value for enum", "update tasker.tasks set state = 'done'"),
    ("invalid input value for enum", "update tasker.transitions set cause = 'fate'"),
    (
        "\"u32\"",
        "insert into tasker.workers values (gen_random_uuid(), '', '{}', '{}', -1, now(), now(), false)",
    ),
];

#[tokio::test]
async fn each_illegal_row_is_refused_by_its_constraint() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, "a -> b").await;
    submit(&store, plan, 1).await;
    let mut connection = connection(&database).await;
    for (constraint, sql) in ILLEGAL {
        execute(&mut connection, "begin").await;
        let answer = sqlx::raw_sql(AssertSqlSafe(*sql)).execute(&mut connection).await;
        let error = answer.expect_err(sql).to_string();
        assert!(error.contains(constraint), "{sql}: {error}");
        execute(&mut connection, "rollback").await;
    }
}
