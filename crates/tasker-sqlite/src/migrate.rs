//! The schema, and how it comes to be.
//!
//! Migrations are numbered from 1 and never change once released: the database remembers the checksum of each.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use tasker_core::Timestamp;
use tasker_store::StoreError;

use crate::failure::Failure;
use crate::location::OpenError;
use crate::record::Record;
use crate::session::Session;
use crate::sql::{self, arguments};

/// One change of the schema.
struct Migration {
    version: i64,
    name: &'static str,
    text: &'static str,
}

macro_rules! migrations {
    ($($version:literal = $name:literal,)*) => {
        /// Every migration, in order.
        const MIGRATIONS: &[Migration] = &[$(Migration {
            version: $version,
            name: $name,
            text: include_str!(concat!("../migrations/", $name, ".sql")),
        },)*];
    };
}

migrations! {
    1 = "0001_tables",
    2 = "0002_told",
}

/// The number by which a database is known as this program's: "TSKR".
const APPLICATION_ID: i64 = 0x5453_4b52;

/// Why a schema is not brought up to date.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The database or what it holds does not allow it.
    Failure(Failure),
    /// It is not for this program.
    Open(OpenError),
    /// It was made by a newer release.
    TooNew { found: i64, known: i64 },
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

impl Stop {
    /// What the caller is told.
    pub(crate) fn into_error(self) -> StoreError {
        match self {
            Self::Failure(failure) => failure.into_error(OPENING),
            Self::Open(error) => StoreError::Refused { action: OPENING, source: Arc::new(error) },
            Self::TooNew { found, known } => StoreError::SchemaTooNew { found, known },
        }
    }
}

/// What was being done, after "the database refused".
pub(crate) const OPENING: &str = "to be opened";

/// Applies the migrations that are missing, all of them or none. Several processes may try at once.
pub(crate) async fn bring_up_to_date(session: &mut Session, path: &Path, now: Timestamp) -> Result<(), Stop> {
    check_owner(session, path).await?;
    if missing(session, path).await?.is_empty() {
        return Ok(());
    }
    session.make_ready().await;
    session.run(sql::BEGIN, SqliteArguments::default()).await?;
    // Another process may have been faster.
    check_owner(session, path).await?;
    session.run(sql::PREPARE_SCHEMA, SqliteArguments::default()).await?;
    for migration in missing(session, path).await? {
        session.run_once(migration.text).await?;
        let Migration { version, name, .. } = migration;
        let arguments = arguments![version, *name, migration.checksum(), now.as_micros()];
        session.run(sql::RECORD_MIGRATION, arguments).await?;
    }
    session.run(sql::COMMIT, SqliteArguments::default()).await?;
    session.committed();
    Ok(())
}

async fn check_owner(session: &mut Session, path: &Path) -> Result<(), Stop> {
    for row in session.run(sql::IDENTIFY, SqliteArguments::default()).await? {
        let row = Record::new(&row, "sqlite_schema");
        let is_empty = row.count("objects")? == 0;
        if !is_empty && row.get::<i64>("application_id")? != APPLICATION_ID {
            return Err(Stop::Open(OpenError::OtherProgram { path: path.to_owned() }));
        }
    }
    Ok(())
}

/// The migrations that were not applied yet.
async fn missing(session: &mut Session, path: &Path) -> Result<&'static [Migration], Stop> {
    let identity = session.run(sql::IDENTIFY, SqliteArguments::default()).await?;
    let is_new =
        |row: &SqliteRow| Record::new(row, "sqlite_schema").count("is_migrated").map(|count| count == 0);
    if identity.first().map(is_new).transpose()?.unwrap_or(true) {
        return Ok(MIGRATIONS);
    }
    let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
    let applied = session.run(sql::LIST_MIGRATIONS, SqliteArguments::default()).await?;
    if let Some(latest) = applied.last() {
        let found = Record::new(latest, "schema_migrations").get("version")?;
        if found > known {
            return Err(Stop::TooNew { found, known });
        }
    }
    for (row, migration) in applied.iter().zip(MIGRATIONS) {
        let row = Record::new(row, "schema_migrations");
        let (version, name): (i64, String) = (row.get("version")?, row.get("name")?);
        if (migration.version, migration.checksum()) != (version, row.get("checksum")?) {
            return Err(Stop::Open(OpenError::OtherMigration { path: path.to_owned(), version, name }));
        }
    }
    Ok(MIGRATIONS.get(applied.len()..).unwrap_or_default())
}

impl Migration {
    fn checksum(&self) -> String {
        let digest = Sha256::digest(self.text);
        digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}
