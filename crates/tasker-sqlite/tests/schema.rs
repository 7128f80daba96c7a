//! The database itself refuses what must not be.

use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, SqliteConnection};
use std::sync::Arc;
use std::time::Duration;
use tasker_core::{TaskTemplate, WorkerId};
use tasker_sqlite::{SqliteOptions, SqliteStore};
use tasker_store::conformance::{Bench, clock};
use tasker_store::{ClaimRequest, PutTemplate, TemplateStore, WhenTaken, WorkStore};
use tempfile::TempDir;

/// A database with a task of two steps, of which the first is at work.
async fn database() -> (SqliteConnection, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    let clock = clock();
    let options = SqliteOptions { clock: Arc::clone(&clock) as Arc<_>, ..SqliteOptions::default() };
    let store = SqliteStore::open(path.to_str().expect("UTF-8"), options).await.expect("a database");
    let template = json!({ "name": "pair", "task_handler_class": "Pair", "step_templates": [
        { "name": "one", "handler_class": "noop" },
        { "name": "two", "handler_class": "noop", "depends_on_steps": ["one"] },
    ]});
    let template = Arc::new(TaskTemplate::from_definition(&template).expect("a template"));
    let put = PutTemplate { template, when_taken: WhenTaken::Refuse };
    let id = store.put_template(put).await.expect("stored").expect("new");
    let plan = store.plan(id, 0).await.expect("planned").expect("a plan");
    let store = Arc::new(store);
    let bench = Bench::new(Arc::clone(&store) as Arc<_>, clock, Box::new(()));
    bench.try_submit(vec![bench.draft(plan)]).await.expect("submitted");
    let claim = ClaimRequest {
        worker: WorkerId::from(uuid::Uuid::from_u128(1)),
        queues: vec!["default".parse().expect("a name")].into(),
        handlers: vec!["noop".parse().expect("a name")].into(),
        capacity: 1,
        lease: Duration::from_secs(30),
        turn: 0,
        task: None,
    };
    assert_eq!(store.claim(claim).await.expect("claimed").len(), 1);
    let connection = SqliteConnectOptions::new().filename(&path).connect().await.expect("a connection");
    (connection, folder)
}

/// What the database says to a statement that it refuses.
async fn refusal(connection: &mut SqliteConnection, statement: &str) -> String {
    match connection.execute(AssertSqlSafe(statement.to_owned())).await {
        Ok(done) => panic!("{} rows were changed by {statement}", done.rows_affected()),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_task_is_as_its_state_says() {
    let (mut connection, _folder) = database().await;
    for (change, constraint) in [
        ("state = 'done'", "tasks_state"),
        ("state = 'pending', ended_at = 5", "tasks_state"),
        ("started_at = null", "tasks_state"),
        ("ended_at = 5", "tasks_state"),
        ("state = 'complete', ended_at = 5", "tasks_state"),
        ("state = 'complete', unfinished = 0, active = 0", "tasks_state"),
        ("state = 'error', ended_at = 5", "tasks_state"),
        ("state = 'error', ended_at = 5, unfinished = 0, active = 0", "tasks_state"),
        ("state = 'cancelled', ended_at = 5", "tasks_state"),
        ("state = 'resolved_manually', ended_at = 5", "tasks_state"),
        ("active = -1", "tasks_counts"),
        ("unfinished = 0", "tasks_counts"),
        ("paused_at = 5", "tasks_pause"),
        ("paused_by = 'ann'", "tasks_pause"),
        ("paused_reason = 'lunch'", "tasks_pause"),
        ("identity_since = 5", "tasks_identity_since"),
        ("identity_hash = 'x'", "tasks_identity_since"),
        ("id = x'00'", "tasks_id"),
        ("plan_id = 77", "FOREIGN KEY"),
        ("unfinished = 'two'", "TEXT value in INTEGER column"),
    ] {
        let said = refusal(&mut connection, &format!("update tasks set {change}")).await;
        assert!(said.contains(constraint), "{change}: {said}");
    }
}

#[tokio::test]
async fn a_step_is_as_its_state_says() {
    let (mut connection, _folder) = database().await;
    for (ordinal, change, constraint) in [
        (0, "state = 'done', worker_id = null, lease_until = null", "steps_state"),
        (0, "state = 'pending'", "steps_lease"),
        (0, "state = 'pending', worker_id = null, lease_until = null", "steps_state"),
        (0, "worker_id = null", "steps_lease"),
        (0, "lease_until = null", "steps_lease"),
        (0, "worker_id = null, lease_until = null", "steps_state"),
        (0, "ready_at = 5", "steps_state"),
        (0, "started_at = null", "steps_state"),
        (0, "ended_at = 5", "steps_state"),
        (0, "attempts = 0", "steps_state"),
        (0, "attempts = -1", "steps_counts"),
        (0, "retry_limit = -1", "steps_counts"),
        (0, "worker_id = x'00'", "steps_worker_id"),
        (0, "state = 'complete', worker_id = null, lease_until = null, ended_at = 5", "steps_state"),
        (0, "state = 'error', worker_id = null, lease_until = null", "steps_state"),
        (0, "state = 'cancelled', worker_id = null, lease_until = null", "steps_state"),
        (1, "ready_at = 5", "steps_state"),
        (1, "unmet = 0", "steps_state"),
        (1, "unmet = -1", "steps_counts"),
        (1, "unmet = 2", "steps_counts"),
        (1, "held = 2", "steps_held"),
        (1, "worker_id = zeroblob(16), lease_until = 5", "steps_lease"),
        (1, "state = 'resolved_manually'", "steps_state"),
        (1, "state = 'error', ended_at = 5", "steps_state"),
        (1, "lane_id = 77", "FOREIGN KEY"),
        (1, "key = (key >> 20) << 20", "UNIQUE"),
    ] {
        let statement = format!("update steps set {change} where ordinal = {ordinal}");
        let said = refusal(&mut connection, &statement).await;
        assert!(said.contains(constraint), "{change}: {said}");
    }
}

#[tokio::test]
async fn what_happened_is_not_changed_and_is_well_formed() {
    let (mut connection, _folder) = database().await;
    let said = refusal(&mut connection, "update transitions set at = 5").await;
    assert!(said.contains("transitions are append-only"), "{said}");
    for (values, constraint) in [
        ("1, null, null, 'begun', 'pending', 'claimed', 5", "transitions_from"),
        ("1, null, null, null, 'done', 'claimed', 5", "transitions_to"),
        ("1, null, null, null, 'pending', 'because', 5", "transitions_cause"),
        ("1, null, 1, null, 'pending', 'claimed', 5", "transitions_attempt"),
        ("1, 0, 0, null, 'pending', 'claimed', 5", "transitions_attempt"),
    ] {
        let columns = "task_key, ordinal, attempt, from_state, to_state, cause, at";
        let statement = format!("insert into transitions ({columns}) values ({values})");
        let said = refusal(&mut connection, &statement).await;
        assert!(said.contains(constraint), "{values}: {said}");
    }
}

#[tokio::test]
async fn recipes_fit_together() {
    let (mut connection, _folder) = database().await;
    for (statement, constraint) in [
        ("insert into edges values (1, 1, 1, 1)", "edges_child"),
        ("insert into edges values (1, 1, 0, 2)", "edges_needs_results"),
        ("insert into edges values (77, 0, 1, 1)", "FOREIGN KEY"),
        ("insert into plan_steps values (1, 7, 1, 0, 0)", "plan_steps_retry_limit"),
        ("insert into plan_steps values (1, 7, 77, 0, 1)", "FOREIGN KEY"),
        ("insert into plans values (7, 1, 0, 2, 1)", "UNIQUE"),
        ("insert into plans values (7, 1, 5, 1, 2)", "plans_roots"),
        ("insert into lanes select 77, namespace, queue, handler, priority from lanes", "UNIQUE"),
        (
            "insert into templates select 77, namespace, name, '9', zeroblob(3), '{}', 1, 5 from templates",
            "digest",
        ),
        (
            "insert into templates select 77, namespace, name, '9', digest, '{', 1, 5 from templates",
            "definition",
        ),
        (
            "insert into templates select 77, namespace, name, version, zeroblob(32), '{}', 1, 5 from templates",
            "UNIQUE",
        ),
        ("update namespaces set paused_by = 'ann'", "namespaces_pause"),
        ("insert into revocations values (2, 0)", "revocations_id"),
        ("insert into workers values (x'00', 'w', '[]', '[]', 1, 5, 5, 0)", "workers_id"),
        ("insert into workers values (zeroblob(16), 'w', '[', '[]', 1, 5, 5, 0)", "workers_queues"),
    ] {
        let said = refusal(&mut connection, statement).await;
        assert!(said.contains(constraint), "{statement}: {said}");
    }
}
