//! Why a store could not do what was asked.

use std::error::Error;
use std::sync::Arc;

/// A failure of the store itself. A request that is merely refused has an error type of its own.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or did not answer; the request may be made again.
    #[error("the database is not available")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// The database refused a statement; making the same request again would fail again.
    #[error("the database refused {action}")]
    Refused {
        /// What was being done.
        action: &'static str,
        /// What the database said.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A row does not say anything that this program understands.
    #[error(transparent)]
    Inconsistent(#[from] Inconsistency),
    /// The schema was made by a newer release.
    #[error(
        "the database has schema version {found}, this program knows {known}: \
         run a newer release, or use another database"
    )]
    SchemaTooNew {
        /// The version in the database.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What went wrong, in a word that does not change.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Refused { .. } => "refused",
            Self::Inconsistent(_) => "inconsistent",
            Self::SchemaTooNew { .. } => "schema_too_new",
            Self::Closed => "closed",
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Refused { .. } | Self::Inconsistent(_) | Self::SchemaTooNew { .. } | Self::Closed => false,
        }
    }
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column} of {key} cannot be read: {reason}")]
pub struct Inconsistency {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The key of the row.
    pub key: String,
    /// What is wrong with the value.
    pub reason: String,
}
