//! How connections are opened.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use crate::options::Durability;

/// How long SQLite waits by itself for another process that writes.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// SQLite does not copy the write-ahead log by itself: see [`crate::checkpoint`].
const NEVER: &str = "0";

/// How much of the database the writer keeps in memory, in kibibytes.
const WRITER_CACHE: &str = "-8000";

/// How much of the database each reader keeps in memory, in kibibytes.
const READER_CACHE: &str = "-1000";

/// A connection that writes; it makes the database if there is none.
pub(crate) fn writing(path: &Path, durability: Durability) -> SqliteConnectOptions {
    let synchronous = match durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Normal => SqliteSynchronous::Normal,
    };
    both(path)
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("wal_autocheckpoint", NEVER)
        .pragma("cache_size", WRITER_CACHE)
        .row_buffer_size(1_000)
}

/// A connection that copies the log.
pub(crate) fn copying(path: &Path, durability: Durability) -> SqliteConnectOptions {
    let none = "-100";
    writing(path, durability).create_if_missing(false).pragma("cache_size", none)
}

/// Connections that read, opened as they are needed and closed when they are not.
pub(crate) fn readers(path: &Path, count: u32) -> SqlitePool {
    let options = both(path).read_only(true).pragma("query_only", "on").pragma("cache_size", READER_CACHE);
    SqlitePoolOptions::new()
        .min_connections(0)
        .max_connections(count.max(1))
        .max_lifetime(None)
        .idle_timeout(Duration::from_secs(300))
        .test_before_acquire(false)
        .connect_lazy_with(options)
}

fn both(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        .thread_name(|number| format!("sqlite-{number}"))
        .disable_statement_logging()
}
