//! Connections, and messages sent over them.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Either, Executor, Postgres};
use tasker_store::StoreError;
use tokio::time::Instant;

use crate::error::{Fault, store_error, unstorable};
use crate::literal::Literal;
use crate::options::PostgresOptions;
use crate::row::Row;
use crate::statement::{SESSION_BY_INDEX, Script, Statement};

/// A connection that was idle for so long is tested before it is used for a commit.
///
/// A worker's beats go over the connections of the writers and come every ten seconds. The one used last is taken
/// first: in an idle store every beat and every claim finds a connection that the beat before has proven, and nothing
/// is tested. This is longer than that distance by what a beat may be late.
const STALE: Duration = Duration::from_secs(15);

/// How often a message is sent again at once because another transaction was in the way.
const TRIES: usize = 3;

/// The most time for finding out why the server could not be reached.
const LAST_TRY: Duration = Duration::from_secs(1);

/// The connections to one database.
#[derive(Debug)]
pub(crate) struct Database {
    pool: PgPool,
    /// Connections of the writers, kept between commits: the pool would test each after every use.
    kept: Mutex<Vec<Kept>>,
    /// How many are kept at most: the rest of the pool is for those who read.
    writers: usize,
    health: Arc<Health>,
}

#[derive(Debug)]
struct Kept {
    connection: PoolConnection<Postgres>,
    used: Instant,
    epoch: u64,
}

/// Remembers when a connection last failed: those made before are not used again.
#[derive(Debug)]
struct Health {
    begun: Instant,
    /// Milliseconds from `begun` to the last failure; 0 if there was none.
    failed: AtomicU64,
}

impl Database {
    /// Connects, or fails within the timeout.
    pub(crate) async fn connect(url: &str, options: &PostgresOptions) -> Result<Self, StoreError> {
        let server = connect_options(url, options)?;
        let health = Arc::new(Health { begun: Instant::now(), failed: AtomicU64::new(0) });
        let watched = Arc::clone(&health);
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections.max(1))
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(move |_, connection| {
                let usable = watched.is_younger_than_last_failure(connection.age);
                Box::pin(async move { Ok(usable) })
            })
            .connect_with(server.clone())
            .await;
        let pool = match pool {
            Err(sqlx::Error::PoolTimedOut) => Err(why_unreachable(&server).await),
            other => other,
        };
        let pool = pool.map_err(|error| store_error("connecting", error))?;
        Ok(Self { pool, kept: Mutex::default(), writers: options.writers.max(1), health })
    }

    /// The pool, for what is not a message of statements.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Sends one statement that only reads.
    pub(crate) async fn read(
        &self,
        action: &'static str,
        statement: Statement,
        arguments: &[&dyn Literal],
    ) -> Result<Vec<Row>, StoreError> {
        let script = Script::of(statement, arguments).map_err(|error| unstorable(action, error))?;
        Ok(self.query(action, script).await?.pop().unwrap_or_default())
    }

    /// Sends one statement that only reads, and has it go by an index, see `queries/session/by_index.sql`.
    pub(crate) async fn read_by_index(
        &self,
        action: &'static str,
        statement: Statement,
        arguments: &[&dyn Literal],
    ) -> Result<Vec<Row>, StoreError> {
        let mut script = Script::default();
        let added = script.add(SESSION_BY_INDEX, &[]).and_then(|_| script.add(statement, arguments));
        added.map_err(|error| unstorable(action, error))?;
        Ok(self.query(action, script).await?.pop().unwrap_or_default())
    }

    /// Sends a message that may be sent twice: it is, where a connection turns out to be dead.
    pub(crate) async fn query(
        &self,
        action: &'static str,
        script: Script,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        let expected = script.statements();
        let text = script.into_text();
        let first = collect(&self.pool, &text, expected).await;
        let answer = match first {
            Err(error) if is_worth_repeating(&error) => {
                self.health.note(&error);
                collect(&self.pool, &text, expected).await
            }
            other => other,
        };
        answer.map_err(|error| store_error(action, error))
    }

    /// Sends a message that changes something: one transaction. It is sent again only where it is certain
    /// that nothing came of it.
    pub(crate) async fn commit(
        &self,
        action: &'static str,
        script: Script,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        let expected = script.statements();
        let text = script.into_text();
        let mut tries = 1;
        loop {
            match self.commit_once(&text, expected).await {
                Ok(results) => return Ok(results),
                Err(error) if tries < TRIES && Fault::of(&error) == Fault::Conflict => tries += 1,
                Err(error) => return Err(store_error(action, error)),
            }
        }
    }

    /// Sends a message that changes something and may be sent twice: it is, where a connection turns out to be dead.
    pub(crate) async fn repeat(
        &self,
        action: &'static str,
        script: Script,
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        let expected = script.statements();
        let text = script.into_text();
        let answer = match self.commit_once(&text, expected).await {
            Err(error) if is_worth_repeating(&error) => self.commit_once(&text, expected).await,
            other => other,
        };
        answer.map_err(|error| store_error(action, error))
    }

    async fn commit_once(&self, text: &Arc<String>, expected: usize) -> Result<Vec<Vec<Row>>, sqlx::Error> {
        let mut kept = self.take_writer().await?;
        let answer = collect(&mut *kept.connection, text, expected).await;
        match &answer {
            Err(error) if Fault::of(error) == Fault::Unavailable => self.health.note(error),
            Ok(_) | Err(_) => {
                kept.used = Instant::now();
                self.keep(kept);
            }
        }
        answer
    }

    /// A connection that seems to live.
    async fn take_writer(&self) -> Result<Kept, sqlx::Error> {
        loop {
            let epoch = self.health.epoch();
            let kept = self.kept().pop();
            let Some(mut kept) = kept else {
                let connection = self.pool.acquire().await?;
                return Ok(Kept { connection, used: Instant::now(), epoch });
            };
            let alive =
                kept.epoch == epoch && (kept.used.elapsed() < STALE || kept.connection.ping().await.is_ok());
            if alive {
                return Ok(kept);
            }
        }
    }

    fn keep(&self, connection: Kept) {
        let mut kept = self.kept();
        if kept.len() < self.writers {
            kept.push(connection);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        self.kept().clear();
        self.pool.close().await;
    }
}

impl Health {
    fn note(&self, error: &sqlx::Error) {
        if !matches!(error, sqlx::Error::PoolTimedOut) {
            let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.failed.store(elapsed.max(1), Ordering::Relaxed);
        }
    }

    /// Changes with every failure.
    fn epoch(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    fn is_younger_than_last_failure(&self, age: Duration) -> bool {
        let failed = Duration::from_millis(self.epoch());
        failed.is_zero() || age < self.begun.elapsed().saturating_sub(failed)
    }
}

/// Whether a message that may be sent twice may fare better the second time.
fn is_worth_repeating(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::PoolTimedOut)
        && matches!(Fault::of(error), Fault::Unavailable | Fault::Conflict)
}

/// The error of one more try: a pool that gives up says only that its time was up.
async fn why_unreachable(server: &PgConnectOptions) -> sqlx::Error {
    match tokio::time::timeout(LAST_TRY, server.connect()).await {
        Ok(Err(error)) => error,
        Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
    }
}

/// How to reach the server, without anything that a proxy would refuse.
pub(crate) fn connect_options(url: &str, options: &PostgresOptions) -> Result<PgConnectOptions, StoreError> {
    let server =
        PgConnectOptions::from_str(url).map_err(|error| store_error("reading the database's URL", error))?;
    Ok(server
        .extra_float_digits(None)
        .application_name(&options.application_name)
        .statement_cache_capacity(0)
        .disable_statement_logging())
}

/// Sends a message and collects the rows of each of its statements.
pub(crate) async fn collect<'e, E>(
    executor: E,
    text: &Arc<String>,
    expected: usize,
) -> Result<Vec<Vec<Row>>, sqlx::Error>
where
    E: Executor<'e, Database = Postgres>,
{
    let mut results = sqlx::raw_sql(AssertSqlSafe(Arc::clone(text))).fetch_many(executor);
    let mut sets: Vec<Vec<Row>> = Vec::with_capacity(expected);
    let mut rows: Vec<Row> = Vec::new();
    while let Some(item) = results.try_next().await? {
        match item {
            Either::Left(_) => sets.push(std::mem::take(&mut rows)),
            Either::Right(row) => rows.push(row_of(row)),
        }
    }
    Ok(sets)
}

fn row_of(row: PgRow) -> Row {
    Row::new(row)
}
