//! Opening a database: what is made, what is refused, and what is said about it.

use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tasker_sqlite::{Durability, OpenError, SqliteOptions, SqliteStore};
use tasker_store::conformance::{Bench, clock};
use tasker_store::{FeedStore, ReadStore, StoreError};

async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    let options = SqliteOptions { clock: clock(), ..SqliteOptions::default() };
    SqliteStore::open(path.to_str().expect("UTF-8"), options).await
}

/// What is said about a path that cannot be opened.
async fn complaint(path: &Path) -> String {
    match open(path).await {
        Ok(store) => panic!("{store:?} was opened"),
        Err(StoreError::Refused { source, .. }) => {
            assert!(source.downcast_ref::<OpenError>().is_some(), "{source:?}");
            source.to_string()
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// Changes a database behind the back of the program.
async fn meddle(path: &Path, statement: &str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.expect("a connection");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))).await.expect("done");
    sqlx::Connection::close(connection).await.expect("closed");
}

#[tokio::test]
async fn a_database_is_made_with_its_folder_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("some/where/tasker.db");
    let store = Arc::new(open(&path).await.expect("a new database"));
    let bench = Bench::new(Arc::clone(&store) as Arc<_>, clock(), Box::new(()));
    let task = bench.submit("a -> b").await;
    store.close().await.expect("closed");
    assert!(matches!(store.task(task).await, Err(StoreError::Closed)));
    assert!(!folder.path().join("some/where/tasker.db-wal").exists(), "the log is in the database");
    let store = open(&path).await.expect("the same database");
    assert!(store.task(task).await.expect("an answer").is_some());
}

#[tokio::test]
async fn a_faster_kind_of_durability_keeps_what_was_committed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = format!("sqlite://{}", folder.path().join("tasker.db").display());
    let options = SqliteOptions { durability: Durability::Normal, readers: 0, clock: clock() };
    let store = SqliteStore::open(&path, options.clone()).await.expect("a new database");
    let bench = Bench::new(Arc::new(store), clock(), Box::new(()));
    let task = bench.submit("a").await;
    drop(bench);
    let store = SqliteStore::open(&path, options).await.expect("the same database");
    assert!(store.task(task).await.expect("an answer").is_some());
    assert_eq!(store.feed_end().await.expect("an end"), 1);
}

#[tokio::test]
async fn what_is_no_database_of_this_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "milk, eggs, ".repeat(500)).expect("written");
    assert!(complaint(&text).await.contains("is not a SQLite database: choose another name"));
    assert_eq!(
        std::fs::read_to_string(&text).expect("read"),
        "milk, eggs, ".repeat(500),
        "nothing was changed"
    );
    let other = folder.path().join("other.db");
    meddle(&other, "create table songs (title text)").await;
    assert!(complaint(&other).await.contains("is a database of another program"));
    assert!(complaint(folder.path()).await.contains("is a folder: name a file in it"));
    assert!(complaint(&text.join("tasker.db")).await.contains("cannot be made"));
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    open(&path).await.expect("a new database").close().await.expect("closed");
    meddle(&path, "insert into schema_migrations values (99, '0099_future', 'x', 5)").await;
    match open(&path).await {
        Err(StoreError::SchemaTooNew { found: 99, known }) => assert!(known < 99),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_database_made_by_another_migration_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    open(&path).await.expect("a new database").close().await.expect("closed");
    meddle(&path, "update schema_migrations set checksum = 'x'").await;
    assert!(complaint(&path).await.contains("migration 1 (0001_tables)"));
}

#[tokio::test]
async fn the_empty_database_of_a_failed_start_is_completed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    meddle(&path, "pragma journal_mode = wal").await;
    let store = open(&path).await.expect("a database");
    Bench::new(Arc::new(store), clock(), Box::new(())).submit("a").await;
}
