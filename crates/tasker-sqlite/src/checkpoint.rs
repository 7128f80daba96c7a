//! Copying the write-ahead log into the database, beside the commits and not in them.
//!
//! SQLite by itself has the commit that fills the log do this, which then takes many times as long as others. Here
//! a connection of its own copies, while the writer goes on. What is written meanwhile is little; the writer copies
//! that itself, so that the log is empty for a moment and begins anew instead of growing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::Row;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow};
use tokio::sync::Notify;

use crate::session::Connection;
use crate::sql;

/// A log with so many frames to copy is copied. A frame is a page of 4 KiB.
const MUCH: i64 = 4_000;

/// So many frames the writer copies itself: that takes about as long as a commit. So few are not copied at all as
/// long as nothing else happens.
const LITTLE: i64 = 200;

/// So many the writer copies itself, however long it takes: the copying cannot keep up, or does not work.
const TOO_MUCH: i64 = 40_000;

/// A log to which so long nothing was added is copied, unless it has little.
const QUIET: Duration = Duration::from_secs(5);

/// How far the log goes, and how far it has been copied, in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Log {
    end: i64,
    copied: i64,
}

impl Log {
    /// As `queries/batches/measure.sql` and `queries/batches/checkpoint.sql` answer.
    pub(crate) fn of(rows: &[SqliteRow]) -> Result<Self, sqlx::Error> {
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Self { end: row.try_get("log")?, copied: row.try_get("checkpointed")? })
    }

    fn rest(self) -> i64 {
        self.end - self.copied
    }

    /// Whether the copier is to be called.
    pub(crate) fn is_long(self) -> bool {
        self.rest() >= MUCH
    }

    /// Whether the writer is to copy the rest.
    pub(crate) fn is_for_the_writer(self) -> bool {
        let rest = self.rest();
        rest >= TOO_MUCH || (self.end >= MUCH && (1..=LITTLE).contains(&rest))
    }
}

/// Where the copier learns that there is something to copy.
#[derive(Debug, Default)]
pub(crate) struct LogBell {
    commits: AtomicU64,
    /// Rings with the first commit after a quiet time, and when the log is long.
    bell: Notify,
    copied_at: AtomicU64,
}

impl LogBell {
    /// Something was committed.
    pub(crate) fn committed(&self) {
        let before = self.commits.fetch_add(1, Ordering::Relaxed);
        if before == self.copied_at.load(Ordering::Relaxed) {
            self.bell.notify_one();
        }
    }

    /// The log is long.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until the log is long, or until something was committed and nothing more is.
    async fn wait_until_it_is_time(&self) {
        self.bell.notified().await;
        loop {
            let commits = self.commits.load(Ordering::Relaxed);
            let rang = tokio::time::timeout(QUIET, self.bell.notified()).await.is_ok();
            let is_quiet = self.commits.load(Ordering::Relaxed) == commits;
            if rang || is_quiet {
                self.copied_at.store(commits, Ordering::Relaxed);
                return;
            }
        }
    }
}

/// Copies the log until it is stopped.
pub(crate) async fn copy_logs(options: SqliteConnectOptions, bell: Arc<LogBell>) {
    let mut connection: Option<Connection> = None;
    loop {
        bell.wait_until_it_is_time().await;
        if let Err(error) = copy_log(&options, &mut connection).await {
            // The log grows, and nothing is lost: it is tried again after the next commits.
            tracing::warn!(%error, "the log of the database could not be copied into it");
            connection = None;
        }
    }
}

async fn copy_log(
    options: &SqliteConnectOptions,
    connection: &mut Option<Connection>,
) -> Result<(), sqlx::Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(Connection::open(options).await?),
    };
    let log = Log::of(&connection.run(sql::MEASURE, SqliteArguments::default()).await?)?;
    if log.rest() > LITTLE {
        connection.run(sql::CHECKPOINT, SqliteArguments::default()).await?;
    }
    Ok(())
}
