//! The store behind a URL.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tasker_core::SystemClock;
use tasker_otlp::DatabasePlace;
use tasker_postgres::{Address, PostgresOptions, PostgresStore};
use tasker_sqlite::{SqliteOptions, SqliteStore};
use tasker_store::memory::MemoryStore;
use tasker_store::{Store, StoreError};
use tokio::time::Instant;

use crate::environment::program_name;
use crate::error::told;
use crate::masking::{is_secret, without_secrets};
use crate::settings::{DatabaseSettings, Durability};

/// The waits between attempts to reach a database grow from the one to the other.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const REMEDY: &str = "write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:";

const ONE_PASSWORD: &str = "the only parameter that is secret is password; write password=…";

/// Why the store behind a URL cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no store that there is.
    #[error("{url:?} names no database: {remedy}")]
    Url {
        /// The URL, its secrets masked.
        url: String,
        /// What to write instead.
        remedy: &'static str,
    },
    /// The database cannot be reached now; later it may be.
    #[error("the database {url} cannot be reached; check that it runs and that the address is right")]
    Unavailable {
        /// The URL, its secrets masked.
        url: String,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The database is there and cannot be used.
    #[error("the database {url} cannot be used")]
    Store {
        /// The URL, its secrets masked.
        url: String,
        /// What the store said.
        #[source]
        source: StoreError,
    },
}

/// What a URL names.
#[derive(Debug, PartialEq, Eq)]
enum Place<'u> {
    Memory,
    Sqlite(&'u str),
    Postgres(&'u str),
}

impl DatabaseSettings {
    /// Whether it is a database that many machines may use.
    pub fn is_of_many_machines(&self) -> bool {
        matches!(place(&self.url), Ok(Place::Postgres(_)))
    }

    /// Where the database is, as traces tell it: without users and secrets.
    pub(crate) fn place(&self) -> DatabasePlace {
        let unknown = |system| DatabasePlace { system, namespace: None, address: None, port: None };
        match place(&self.url) {
            Ok(Place::Postgres(url)) => Address::of(url).map_or_else(
                || unknown("postgresql"),
                |Address { host, port, database }| DatabasePlace {
                    system: "postgresql",
                    namespace: database,
                    address: Some(host),
                    port: Some(port),
                },
            ),
            Ok(Place::Sqlite(path)) => {
                let name = Path::new(path.trim_start_matches("sqlite:")).file_name();
                let namespace = name.map(|name| name.to_string_lossy().into_owned());
                DatabasePlace { namespace, ..unknown("sqlite") }
            }
            Ok(Place::Memory) | Err(_) => unknown("memory"),
        }
    }
}

/// A database that is open.
pub struct Database {
    store: Arc<dyn Store>,
    adapter: Adapter,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// What has to be closed.
enum Adapter {
    Memory,
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Database {
    /// Opens the database that the settings name, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`OpenError`] names the URL, its secrets masked, and what to do about it.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, OpenError> {
        let failed = |source: StoreError| {
            let url = settings.shown();
            if source.is_transient() {
                OpenError::Unavailable { url, source }
            } else {
                OpenError::Store { url, source }
            }
        };
        match place(&settings.url)? {
            Place::Memory => Ok(Self {
                store: Arc::new(MemoryStore::new(Arc::new(SystemClock))),
                adapter: Adapter::Memory,
            }),
            Place::Sqlite(path) => {
                let store = Arc::new(SqliteStore::open(path, settings.into()).await.map_err(failed)?);
                Ok(Self { store: Arc::clone(&store) as Arc<_>, adapter: Adapter::Sqlite(store) })
            }
            Place::Postgres(url) => {
                let store = Arc::new(PostgresStore::connect(url, settings.into()).await.map_err(failed)?);
                Ok(Self { store: Arc::clone(&store) as Arc<_>, adapter: Adapter::Postgres(store) })
            }
        }
    }

    /// As [`Database::open`]; if the database cannot be reached, tries again until `wait_seconds` have passed.
    ///
    /// # Errors
    ///
    /// As [`Database::open`], from the last attempt.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any time.
    pub async fn open_patiently(settings: &DatabaseSettings) -> Result<Self, OpenError> {
        let deadline = Instant::now() + Duration::from_secs(u64::from(settings.wait_seconds));
        let mut wait = FIRST_WAIT;
        loop {
            let opened = Self::open(settings).await;
            let left = deadline.saturating_duration_since(Instant::now());
            match opened {
                Err(error @ OpenError::Unavailable { .. }) if !left.is_zero() => {
                    tracing::warn!(
                        seconds_left = left.as_secs(),
                        "waiting for the database: {}",
                        told(&error)
                    );
                    tokio::time::sleep(wait.min(left)).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
                other => return other,
            }
        }
    }

    /// The store in it.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Ends what is being written and read, and closes the database. What is asked of the store later fails.
    ///
    /// # Errors
    ///
    /// If the database cannot be brought into order; nothing that was answered is lost by that.
    pub async fn close(self) -> Result<(), StoreError> {
        match self.adapter {
            Adapter::Memory => Ok(()),
            Adapter::Sqlite(store) => store.close().await,
            Adapter::Postgres(store) => {
                store.close().await;
                Ok(())
            }
        }
    }
}

/// Opens the store that the settings name, for a program that ends soon: it is never closed in order, which loses
/// nothing. Programs that run for long use [`Database`].
///
/// # Errors
///
/// As [`Database::open`].
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn open_store(settings: &DatabaseSettings) -> Result<Arc<dyn Store>, OpenError> {
    Database::open(settings).await.map(|database| database.store)
}

/// Whether a URL names a database, be it there or not.
pub(crate) fn check_url(url: &str) -> Result<(), OpenError> {
    place(url).map(|_| ())
}

fn place(url: &str) -> Result<Place<'_>, OpenError> {
    let refused = |remedy| OpenError::Url { url: without_secrets(url), remedy };
    if url == "memory:" {
        return Ok(Place::Memory);
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return if hides_a_secret(url) { Err(refused(ONE_PASSWORD)) } else { Ok(Place::Postgres(url)) };
    }
    let is_file = |url: &str| [".db", ".sqlite", ".sqlite3"].iter().any(|ending| url.ends_with(ending));
    let path = match url.strip_prefix("sqlite:") {
        Some(path) => path.strip_prefix("//").unwrap_or(path),
        None if is_file(url) && !url.contains("://") => url,
        None => return Err(refused(REMEDY)),
    };
    if path.contains('?') {
        return Err(refused("leave out what begins with \"?\"; durability and connections are settings"));
    }
    if path == ":memory:" {
        return Err(refused("write memory: for a database that forgets everything at its end"));
    }
    if path.is_empty() || path.ends_with('/') {
        return Err(refused("name the file, such as sqlite:.tasker/tasker.db"));
    }
    Ok(Place::Sqlite(path))
}

/// Whether a URL has a secret parameter that PostgreSQL does not know. The driver would put it into the log as it is.
fn hides_a_secret(url: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let names = query.split('&').filter_map(|parameter| Some(parameter.split_once('=')?.0));
    names.into_iter().any(|name| is_secret(name) && name != "password")
}

impl DatabaseSettings {
    /// The file that the database is to be in, if there is none yet.
    pub fn missing_file(&self) -> Option<&Path> {
        match place(&self.url) {
            Ok(Place::Sqlite(path)) => {
                Some(Path::new(path)).filter(|path| matches!(path.try_exists(), Ok(false)))
            }
            Ok(Place::Memory | Place::Postgres(_)) | Err(_) => None,
        }
    }
}

impl From<&DatabaseSettings> for SqliteOptions {
    fn from(settings: &DatabaseSettings) -> Self {
        let durability = match settings.durability {
            Durability::Full => tasker_sqlite::Durability::Full,
            Durability::Normal => tasker_sqlite::Durability::Normal,
        };
        let most = Self::default();
        Self { durability, readers: most.readers.min(settings.max_connections), ..most }
    }
}

impl From<&DatabaseSettings> for PostgresOptions {
    fn from(settings: &DatabaseSettings) -> Self {
        let usual = Self::default();
        let application_name = program_name().unwrap_or(usual.application_name);
        Self { max_connections: settings.max_connections, application_name, ..usual }
    }
}

#[cfg(test)]
mod tests;
