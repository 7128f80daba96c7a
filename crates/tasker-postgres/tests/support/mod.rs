//! What the tests of this crate share. Each file uses its part.

#![allow(dead_code, unreachable_pub, reason = "each test file is a crate of its own and uses its part")]

pub(crate) mod pooler;
pub(crate) mod wire;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, Row};
use tasker_core::{Clock, HandlerName, QueueName, SystemClock, TaskId, WorkerId};
use tasker_postgres::testing::TestDatabase;
use tasker_postgres::{Listen, PostgresOptions, PostgresStore};
use tasker_store::conformance::graph::graph;
use tasker_store::{
    ClaimRequest, NewTask, PlanId, PutTemplate, Submitted, TaskStore, TemplateStore, WhenTaken,
};

/// A store by the database's clock, which does not listen.
pub(crate) async fn store(database: &TestDatabase) -> Arc<PostgresStore> {
    store_with(database, Listen::Off).await
}

pub(crate) async fn store_with(database: &TestDatabase, listen: Listen) -> Arc<PostgresStore> {
    let acquire_timeout = Duration::from_secs(30);
    let options = PostgresOptions { listen, acquire_timeout, ..PostgresOptions::default() };
    Arc::new(PostgresStore::connect(database.url(), options).await.expect("a store"))
}

/// A store behind a URL, by the database's clock, which does not listen.
pub(crate) async fn store_at(url: &str) -> PostgresStore {
    let options = PostgresOptions { listen: Listen::Off, ..PostgresOptions::default() };
    PostgresStore::connect(url, options).await.expect("a store")
}

/// A connection of the test's own.
pub(crate) async fn connection(database: &TestDatabase) -> PgConnection {
    let options: PgConnectOptions = database.url().parse().expect("a URL");
    options.extra_float_digits(None).connect().await.expect("the test server answers")
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.expect("the test server obeys");
}

/// The first column of the rows, as text.
pub(crate) async fn texts(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await.expect("rows");
    let text = |row: &sqlx::postgres::PgRow| {
        let value = row.try_get_raw(0).expect("a column");
        value.as_str().unwrap_or_default().to_owned()
    };
    rows.iter().map(text).collect()
}

/// The plan of a template written as in the conformance suite.
pub(crate) async fn plan(store: &PostgresStore, text: &str) -> PlanId {
    let put = PutTemplate { template: graph(text), when_taken: WhenTaken::Replace };
    let id = store.put_template(put).await.expect("stored").expect("replaced");
    store.plan(id, 0).await.expect("planned").expect("there")
}

pub(crate) fn draft(plan: PlanId) -> NewTask {
    let now = SystemClock.now();
    NewTask {
        id: TaskId::new(now, uuid::Uuid::now_v7().as_u128().rotate_left(40)),
        plan,
        context: json!({}),
        initiator: "test".to_owned(),
        source_system: "test".to_owned(),
        reason: "test".to_owned(),
        tags: Vec::new(),
        bypass_steps: Vec::new(),
        requested_at: now,
        origin: tasker_store::Origin::default(),
        identity: None,
    }
}

/// Makes so many tasks.
pub(crate) async fn submit(store: &PostgresStore, plan: PlanId, count: usize) -> Vec<TaskId> {
    let mut made = Vec::with_capacity(count);
    while made.len() < count {
        let drafts = (made.len()..count.min(made.len() + 1_000)).map(|_| draft(plan)).collect();
        let submitted = store.submit(drafts).await.expect("submitted").expect("made");
        made.extend(submitted.into_iter().map(Submitted::id));
    }
    made
}

pub(crate) fn ask(capacity: u32) -> ClaimRequest {
    ask_for("run", capacity)
}

pub(crate) fn ask_for(handler: &str, capacity: u32) -> ClaimRequest {
    ClaimRequest {
        worker: WorkerId::from(uuid::Uuid::now_v7()),
        queues: Arc::new([QueueName::default()]),
        handlers: Arc::new([HandlerName::new(handler).expect("a name")]),
        capacity,
        lease: Duration::from_secs(60),
        turn: 0,
        task: None,
    }
}
