//! Connections, and the one that writes.

#[cfg(test)]
use std::sync::Arc;
#[cfg(test)]
use std::sync::atomic::{AtomicU64, Ordering};

use futures::TryStreamExt;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection as _, Either, Executor, Row, SqliteConnection};

use crate::checkpoint::Log;
use crate::sql;

/// A connection to the database.
#[derive(Debug)]
pub(crate) struct Connection(SqliteConnection);

impl Connection {
    pub(crate) async fn open(options: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        options.connect().await.map(Self)
    }

    /// Runs a script of one or more statements and returns all their rows, in order.
    pub(crate) async fn run(
        &mut self,
        script: &'static str,
        arguments: SqliteArguments,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut rows = Vec::new();
        let mut answers = (&mut self.0).fetch_many(sqlx::query_with(script, arguments));
        while let Some(answer) = answers.try_next().await? {
            if let Either::Right(row) = answer {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        self.0.close().await
    }
}

/// The connection that writes. One transaction is at work on it at a time.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    /// Whether a transaction was begun whose end has not been seen.
    is_open: bool,
    /// The number of the latest state of the database that this connection knows, as changed by others.
    others_version: Option<i64>,
    /// How often leases had been taken away when this was last asked.
    revocations: Option<i64>,
    /// About how many rows were written since the log was last measured.
    weight: usize,
}

impl Session {
    pub(crate) async fn open(options: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let connection = Connection::open(options).await?;
        let mut session =
            Self { connection, is_open: false, others_version: None, revocations: None, weight: 0 };
        session.others_wrote().await?;
        Ok(session)
    }

    /// Runs a script of one or more statements and returns all their rows, in order.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the script where it was: [`Session::make_ready`] then takes it back.
    pub(crate) async fn run(
        &mut self,
        script: &'static str,
        arguments: SqliteArguments,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        self.connection.run(script, arguments).await
    }

    /// Makes the tables that batches are worked out in, and what works them out. The schema must be there.
    pub(crate) async fn furnish(&mut self) -> Result<(), sqlx::Error> {
        self.leases_were_revoked().await?;
        self.run_once(sql::OPEN_SESSION).await?;
        for procedure in [sql::INSERT_TASKS, sql::SETTLE_STEPS, sql::RENEW_LEASES, sql::CLAIM_STEPS] {
            self.run_once(procedure).await?;
        }
        Ok(())
    }

    /// Runs a text of statements that is not worth remembering.
    pub(crate) async fn run_once(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        self.connection.0.execute(sqlx::raw_sql(text)).await?;
        Ok(())
    }

    /// Says that a script is about to begin a transaction. One that was left behind is taken back first.
    pub(crate) async fn make_ready(&mut self) {
        if self.is_open {
            self.roll_back().await;
        }
        self.is_open = true;
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.run(sql::BEGIN, SqliteArguments::default()).await.map(drop)
    }

    /// Makes a transaction durable.
    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run(sql::COMMIT, SqliteArguments::default()).await.map(drop)
    }

    /// Says that the transaction was committed.
    pub(crate) fn committed(&mut self) {
        self.is_open = false;
    }

    /// Takes a transaction back that failed, if SQLite has not done so itself.
    pub(crate) async fn roll_back(&mut self) {
        let end = self.run(sql::ROLLBACK, SqliteArguments::default()).await;
        if let Err(error) = end {
            // There was none: it failed to begin, or failing ended it.
            tracing::trace!(%error, "there was no transaction to take back");
        }
        self.is_open = false;
    }

    /// Whether another process has written since this was last asked.
    pub(crate) async fn others_wrote(&mut self) -> Result<bool, sqlx::Error> {
        let rows = self.run(sql::VERSION, SqliteArguments::default()).await?;
        let version: i64 = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
        Ok(self.others_version.replace(version).is_some_and(|before| before != version))
    }

    /// Whether leases were taken away since this was last asked, be it over this connection.
    pub(crate) async fn leases_were_revoked(&mut self) -> Result<bool, sqlx::Error> {
        let rows = self.run(sql::REVOCATIONS, SqliteArguments::default()).await?;
        let count: i64 = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
        Ok(self.revocations.replace(count).is_some_and(|before| before != count))
    }

    /// Adds to what was written since the log was last measured, and says how much that is.
    pub(crate) fn add_weight(&mut self, weight: usize) -> usize {
        self.weight += weight;
        self.weight
    }

    /// How far the log goes, and how far it has been copied.
    pub(crate) async fn measure_log(&mut self) -> Result<Log, sqlx::Error> {
        self.weight = 0;
        Log::of(&self.run(sql::MEASURE, SqliteArguments::default()).await?)
    }

    /// Copies the log into the database.
    pub(crate) async fn copy_log(&mut self) -> Result<(), sqlx::Error> {
        self.run(sql::CHECKPOINT, SqliteArguments::default()).await.map(drop)
    }

    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }

    /// Counts the operations of SQLite's machine from now on.
    #[cfg(test)]
    pub(crate) async fn count_operations(&mut self) -> Result<Arc<AtomicU64>, sqlx::Error> {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let mut handle = self.connection.0.lock_handle().await?;
        handle.set_progress_handler(1, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            true
        });
        Ok(count)
    }
}
