//! The store: what is shared between those who read and the one who writes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use tasker_core::{Clock, TaskTemplate, Timestamp};
use tasker_store::{BatchWriter, Committer, Gathered, PlanId, StoreError, StoredPlan, TemplateId, Wake};
use tokio::task::AbortHandle;

use crate::cache::Cache;
use crate::checkpoint;
use crate::connect;
use crate::failure::Failure;
use crate::location::{self, OpenError};
use crate::migrate::{self, Stop};
use crate::options::SqliteOptions;
use crate::session::Session;
use crate::watch;
use crate::writer::Writer;

/// How many plans, and how many templates, are kept in memory.
const REMEMBERED: usize = 1_000;

/// How often opening is tried while another process opens the same new database.
const OPENINGS: u32 = 10;

/// A store in one SQLite database file.
pub struct SqliteStore {
    pub(crate) writer: Arc<Writer>,
    readers: SqlitePool,
    committer: Committer,
    /// What is done beside: stopped when the store is closed or gone.
    beside: Beside,
    pub(crate) wake: Wake,
    clock: Arc<dyn Clock>,
    path: PathBuf,
    pub(crate) plans: Cache<PlanId, Arc<StoredPlan>>,
    pub(crate) plan_ids: Cache<(TemplateId, i32), PlanId>,
    pub(crate) templates: Cache<TemplateId, Arc<TaskTemplate>>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens a database, making it, its folder and its schema as needed.
    ///
    /// `path_or_url` is a path, or `sqlite://` and a path.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] with an [`OpenError`] as its source that says what to do;
    /// [`StoreError::SchemaTooNew`]; [`StoreError::Unavailable`] if another process keeps the database busy.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn open(path_or_url: &str, options: SqliteOptions) -> Result<Self, StoreError> {
        let path = location::locate(path_or_url).map_err(|error| Stop::Open(error).into_error())?;
        location::make_folder_of(&path).map_err(|error| Stop::Open(error).into_error())?;
        let session = open_session(&path, &options).await?;
        let wake = Wake::default();
        let clock = Arc::clone(&options.clock);
        let writer = Arc::new(Writer::new(session, Arc::clone(&clock), wake.clone()));
        let committer = Committer::start(Arc::clone(&writer) as Arc<dyn BatchWriter>, wake.clone());
        let beside = Beside::start(&path, &options, &writer);
        Ok(Self {
            readers: connect::readers(&path, options.readers),
            writer,
            committer,
            beside,
            wake,
            clock,
            path,
            plans: Cache::new(REMEMBERED),
            plan_ids: Cache::new(REMEMBERED),
            templates: Cache::new(REMEMBERED),
        })
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for what is being written and read, copies the log into the database, and closes it. Whatever is
    /// asked afterwards is answered with [`StoreError::Closed`].
    ///
    /// # Errors
    ///
    /// If the database cannot be brought into order; nothing that was answered is lost by that.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.beside.stop();
        self.readers.close().await;
        self.writer.close().await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Has a statement read.
    pub(crate) async fn read(
        &self,
        statement: &'static str,
        arguments: SqliteArguments,
    ) -> Result<Vec<SqliteRow>, Failure> {
        Ok(sqlx::query_with(statement, arguments).fetch_all(&self.readers).await?)
    }
}

impl Gathered for SqliteStore {
    fn committer(&self) -> &Committer {
        &self.committer
    }
}

/// What is done beside reading and writing.
struct Beside {
    copier: AbortHandle,
    watcher: AbortHandle,
}

impl Beside {
    fn start(path: &Path, options: &SqliteOptions, writer: &Arc<Writer>) -> Self {
        let copying = connect::copying(path, options.durability);
        let copier = tokio::spawn(checkpoint::copy_logs(copying, writer.bell()));
        let watcher = tokio::spawn(watch::watch_log(path.to_owned(), Arc::downgrade(writer)));
        Self { copier: copier.abort_handle(), watcher: watcher.abort_handle() }
    }

    fn stop(&self) {
        self.copier.abort();
        self.watcher.abort();
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Opens the connection that writes, and brings the schema up to date. Of several processes that make the same
/// database at once, all but one find it busy for a moment.
async fn open_session(path: &Path, options: &SqliteOptions) -> Result<Session, StoreError> {
    let connect = connect::writing(path, options.durability);
    for opening in 1.. {
        let opened = async {
            let mut session = Session::open(&connect).await?;
            migrate::bring_up_to_date(&mut session, path, options.clock.now()).await?;
            session.furnish().await?;
            Ok(session)
        };
        match opened.await {
            Ok(session) => return Ok(session),
            Err(Stop::Failure(failure)) if failure.is_busy() && opening < OPENINGS => {
                tokio::time::sleep(Duration::from_millis(20 * u64::from(opening))).await;
            }
            Err(stop) => return Err(explained(stop, path).into_error()),
        }
    }
    Err(StoreError::Closed)
}

/// Says more than SQLite about what is in the way.
fn explained(stop: Stop, path: &Path) -> Stop {
    let path = path.to_owned();
    match stop {
        Stop::Failure(failure) if failure.is_not_a_database() => Stop::Open(OpenError::NotADatabase { path }),
        Stop::Failure(failure) if failure.is_forbidden() => match failure {
            Failure::Database(source) => Stop::Open(OpenError::Forbidden { path, source }),
            Failure::Row(row) => Stop::Failure(Failure::Row(row)),
        },
        other => other,
    }
}
