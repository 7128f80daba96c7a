//! What can go wrong in here, and what the callers are told.

use std::sync::Arc;

use sqlx::error::DatabaseError;
use tasker_store::{Inconsistency, StoreError};

/// Something went wrong: with the database, or with what it holds.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite, or the way to it.
    Database(sqlx::Error),
    /// A row does not say anything that this program understands.
    Row(Inconsistency),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Inconsistency> for Failure {
    fn from(row: Inconsistency) -> Self {
        Self::Row(row)
    }
}

/// The primary result codes of SQLite that are told apart here: <https://www.sqlite.org/rescode.html>.
mod code {
    pub(super) const PERM: i32 = 3;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const NOMEM: i32 = 7;
    pub(super) const READONLY: i32 = 8;
    pub(super) const INTERRUPT: i32 = 9;
    pub(super) const IOERR: i32 = 10;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const PROTOCOL: i32 = 15;
    pub(super) const NOTADB: i32 = 26;
}

/// The disk that holds the database is full.
#[derive(Debug, thiserror::Error)]
#[error("the disk that holds the database is full: free some space on it, or prune old tasks")]
struct DiskFull(#[source] sqlx::Error);

impl Failure {
    /// Whether another process was writing, or in the way, for longer than SQLite waits by itself.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.code(), Some(code::BUSY | code::LOCKED | code::PROTOCOL))
    }

    /// Whether the file is no database.
    pub(crate) fn is_not_a_database(&self) -> bool {
        self.code() == Some(code::NOTADB)
    }

    /// Whether the file, or its folder, may not be read or written.
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self.code(), Some(code::PERM | code::READONLY | code::CANTOPEN))
    }

    fn code(&self) -> Option<i32> {
        match self {
            Self::Database(error) => primary_code(error.as_database_error()?),
            Self::Row(_) => None,
        }
    }

    /// What the caller is told, who asked for `action`.
    pub(crate) fn into_error(self, action: &'static str) -> StoreError {
        let code = self.code();
        match self {
            Self::Row(row) => StoreError::Inconsistent(row),
            Self::Database(sqlx::Error::PoolClosed) => StoreError::Closed,
            Self::Database(error) => match code {
                Some(code::FULL) => StoreError::Unavailable(Arc::new(DiskFull(error))),
                Some(
                    code::BUSY
                    | code::LOCKED
                    | code::PROTOCOL
                    | code::NOMEM
                    | code::INTERRUPT
                    | code::IOERR
                    | code::CANTOPEN,
                ) => StoreError::Unavailable(Arc::new(error)),
                None if is_about_the_way(&error) => StoreError::Unavailable(Arc::new(error)),
                Some(_) | None => StoreError::Refused { action, source: Arc::new(error) },
            },
        }
    }
}

/// The result code of SQLite without what extends it.
fn primary_code(error: &dyn DatabaseError) -> Option<i32> {
    Some(error.code()?.parse::<i32>().ok()? & 0xff)
}

/// Whether the database did not get to answer at all.
fn is_about_the_way(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed)
}
