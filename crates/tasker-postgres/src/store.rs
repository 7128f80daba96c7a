//! The store: what it is made of, and how it is opened and closed.

use std::fmt;
use std::sync::{Arc, Mutex};

use tasker_core::Clock;
use tasker_store::{Committer, Gathered, StoreError, Wake};

use crate::database::Database;
use crate::feed::Trust;
use crate::listen::Listener;
use crate::migrate::migrate;
use crate::options::PostgresOptions;
use crate::template::Plans;
use crate::write::Writer;

/// A store on PostgreSQL.
///
/// Any number of stores, in any number of processes, may be open on one database.
pub struct PostgresStore {
    pub(crate) database: Arc<Database>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) wake: Wake,
    pub(crate) trust: Mutex<Trust>,
    pub(crate) plans: Plans,
    committer: Committer,
    listener: Listener,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects to a database and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the server does not answer in time, [`StoreError::Refused`] if it or its
    /// settings cannot be used, [`StoreError::SchemaTooNew`] if a newer release has been here.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let database = Arc::new(Database::connect(url, &options).await?);
        migrate(&database).await?;
        let wake = Wake::default();
        let writer = Arc::new(Writer {
            database: Arc::clone(&database),
            clock: options.clock.clone(),
            width: options.writers.max(1),
        });
        let committer = Committer::start(writer, wake.clone());
        let listener = Listener::start(url, &options, &database, &wake)?;
        Ok(Self {
            database,
            clock: options.clock,
            wake,
            trust: Mutex::default(),
            plans: Plans::default(),
            committer,
            listener,
        })
    }

    /// Stops listening and closes all connections. Requests made later fail with [`StoreError::Closed`].
    pub async fn close(&self) {
        self.listener.stop();
        self.database.close().await;
    }

    /// The present as the caller's clock has it; the database's if there is none.
    pub(crate) fn now(&self) -> Option<i64> {
        self.clock.as_ref().map(|clock| clock.now().as_micros())
    }
}

impl Gathered for PostgresStore {
    fn committer(&self) -> &Committer {
        &self.committer
    }
}
