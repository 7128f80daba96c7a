//! How the schema comes to be, and when it is not touched.

use sqlx::Connection;
use support::{connection, execute, texts};
use tasker_postgres::testing::TestDatabase;
use tasker_postgres::{Listen, PostgresOptions, PostgresStore};
use tasker_store::StoreError;

mod support;

fn options() -> PostgresOptions {
    PostgresOptions {
        listen: Listen::Off,
        acquire_timeout: std::time::Duration::from_secs(30),
        ..PostgresOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_may_start_at_once_on_an_empty_database() {
    let database = TestDatabase::create().await;
    let starts = (0..8).map(|_| PostgresStore::connect(database.url(), options()));
    for started in futures::future::join_all(starts).await {
        started.expect("every store starts");
    }
    let mut own = connection(&database).await;
    let applied = texts(&mut own, "select version from tasker.schema_migrations order by version").await;
    let expected: Vec<_> = (1..=applied.len()).map(|version| version.to_string()).collect();
    assert_eq!(applied, expected);
    own.close().await.expect("closed");
}

#[tokio::test]
async fn a_schema_of_a_newer_release_is_refused() {
    let database = TestDatabase::create().await;
    PostgresStore::connect(database.url(), options()).await.expect("a store");
    database.execute("insert into tasker.schema_migrations values (9999, '9999_future', 'x', now())").await;
    let error = PostgresStore::connect(database.url(), options()).await.expect_err("refused");
    assert!(matches!(error, StoreError::SchemaTooNew { found: 9999, .. }), "{error:?}");
}

#[tokio::test]
async fn a_migration_applied_with_other_content_is_refused_by_name() {
    let database = TestDatabase::create().await;
    PostgresStore::connect(database.url(), options()).await.expect("a store");
    database.execute("update tasker.schema_migrations set checksum = 'x' where version = 1").await;
    let error = PostgresStore::connect(database.url(), options()).await.expect_err("refused");
    assert!(source_of(&error).contains("0001_tables was applied with other content"), "{error:?}");
}

#[tokio::test]
async fn a_store_needs_no_right_to_change_a_schema_that_is_up_to_date() {
    let database = TestDatabase::create().await;
    PostgresStore::connect(database.url(), options()).await.expect("a store");
    let mut own = connection(&database).await;
    // Whoever held this lock would keep a migration waiting.
    execute(&mut own, "begin; select pg_advisory_xact_lock(1952543601, 0)").await;
    PostgresStore::connect(database.url(), options()).await.expect("a store without a migration");
    own.close().await.expect("closed");
}

#[tokio::test]
async fn a_database_with_another_isolation_is_refused_with_a_remedy() {
    let database = TestDatabase::create().await;
    let name = texts(&mut connection(&database).await, "select current_database()").await.remove(0);
    database
        .execute(&format!("alter database {name} set default_transaction_isolation = 'repeatable read'"))
        .await;
    let error = PostgresStore::connect(database.url(), options()).await.expect_err("refused");
    assert!(source_of(&error).contains("set default_transaction_isolation"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable() {
    let short = PostgresOptions { acquire_timeout: std::time::Duration::from_millis(300), ..options() };
    let error =
        PostgresStore::connect("postgres://nobody@127.0.0.1:9/nothing", short).await.expect_err("no server");
    assert!(error.is_transient(), "{error:?}");
}

fn source_of(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}
