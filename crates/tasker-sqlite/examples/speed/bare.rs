//! SQLite alone: the rows that the store writes, in tables with the same columns and indexes, without constraints
//! and without a decision.

use std::collections::HashMap;
use std::path::Path;

use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor, SqliteConnection};
use tasker_core::{StepId, TaskId};
use tasker_sqlite::Durability;
use tempfile::TempDir;

use crate::shape::Shape;

/// A database of its own, with the same tasks.
pub(crate) struct Bare {
    connection: SqliteConnection,
    keys: HashMap<TaskId, i64>,
    children: HashMap<u32, Vec<u32>>,
    last: u32,
    _folder: TempDir,
}

const TABLES: &str = include_str!("queries/bare/prepare.sql");
const TASK: &str = include_str!("queries/bare/submit.sql");
const BATCH: &str = include_str!("queries/bare/settle.sql");
const ONE: &str = include_str!("queries/bare/insert.sql");

impl Bare {
    pub(crate) async fn new(folder: &Path, durability: Durability, shape: &Shape, ids: &[TaskId]) -> Self {
        let folder = tempfile::tempdir_in(folder).expect("a folder");
        let mut connection = connect(folder.path(), durability).await;
        connection.execute(TABLES).await.expect("tables");
        connection.execute("begin").await.expect("begun");
        let mut keys = HashMap::new();
        for (id, key) in ids.iter().zip(1i64..) {
            let task = sqlx::query(TASK).bind(key).bind(id.as_uuid().as_bytes().to_vec()).bind(shape.steps);
            connection.execute(task).await.expect("a task");
            keys.insert(*id, key);
        }
        connection.execute("commit").await.expect("committed");
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for (from, to) in &shape.edges {
            children.entry(*from).or_default().push(*to);
        }
        Self { connection, keys, children, last: shape.steps - 1, _folder: folder }
    }

    /// Claims and settles the same steps in the same order.
    pub(crate) async fn replay(mut self, order: &[StepId], batch: usize) {
        for (steps, now) in order.chunks(batch).zip(1_790_000_000_000_000i64..) {
            let keys: Vec<i64> = steps.iter().map(|step| self.key(step.task(), step.ordinal())).collect();
            let children: Vec<i64> = steps.iter().flat_map(|step| self.keys_after(step)).collect();
            let batch = sqlx::query(BATCH)
                .bind(serde_json::to_string(&keys).expect("numbers"))
                .bind(serde_json::to_string(&children).expect("numbers"))
                .bind(now)
                .bind("00112233-4455-6677-8899-aabbccddeeff")
                .bind(self.last);
            self.connection.execute(batch).await.expect("a batch");
        }
    }

    pub(crate) async fn insert_one(&mut self) {
        self.connection.execute(sqlx::query(ONE).bind(1_790_000_000_000_000i64)).await.expect("an insert");
    }

    fn key(&self, task: TaskId, ordinal: u32) -> i64 {
        self.keys[&task] << 20 | i64::from(ordinal)
    }

    fn keys_after(&self, step: &StepId) -> Vec<i64> {
        let children = self.children.get(&step.ordinal()).map(Vec::as_slice).unwrap_or_default();
        children.iter().map(|child| self.key(step.task(), *child)).collect()
    }
}

async fn connect(folder: &Path, durability: Durability) -> SqliteConnection {
    let synchronous = match durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Normal => SqliteSynchronous::Normal,
    };
    SqliteConnectOptions::new()
        .filename(folder.join("bare.db"))
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("cache_size", "-8000")
        .disable_statement_logging()
        .connect()
        .await
        .expect("a database")
}
