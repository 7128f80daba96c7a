//! What the database's errors mean to callers.

use std::sync::Arc;

use sqlx::error::DatabaseError;
use tasker_store::StoreError;

use crate::literal::NulInText;

/// What became of a message that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection or the server is gone, or has no room: it may be back later.
    Unavailable,
    /// Another transaction was in the way: the same message may go through at once.
    Conflict,
    /// The server refused.
    Refused,
    /// The pool has been closed.
    Closed,
}

impl Fault {
    /// What kind of failure this is.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => Self::of_database(&**error),
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unavailable,
            sqlx::Error::PoolClosed => Self::Closed,
            _ => Self::Refused,
        }
    }

    /// By SQLSTATE (manual, appendix A).
    fn of_database(error: &dyn DatabaseError) -> Self {
        let Some(code) = error.code() else { return Self::Refused };
        match &*code {
            "40001" | "40P01" => Self::Conflict,
            // A submission with the id of a task that was being made at the same time.
            "23505" if error.constraint() == Some("tasks_pkey") => Self::Conflict,
            // Shut down; read-only, as after a failover; cancelled; lock timeout.
            "57P01" | "57P02" | "57P03" | "57P05" | "25006" | "57014" | "55P03" => Self::Unavailable,
            // Connection, resources, system.
            code if ["08", "53", "58"].iter().any(|class| code.starts_with(class)) => Self::Unavailable,
            _ => Self::Refused,
        }
    }
}

/// The error for a caller who did `action`.
pub(crate) fn store_error(action: &'static str, error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::Unavailable | Fault::Conflict => StoreError::Unavailable(Arc::new(error)),
        Fault::Refused => StoreError::Refused { action, source: Arc::new(error) },
        Fault::Closed => StoreError::Closed,
    }
}

/// The error for a caller who gave a text that cannot be stored.
pub(crate) fn unstorable(action: &'static str, error: NulInText) -> StoreError {
    StoreError::Refused { action, source: Arc::new(error) }
}
