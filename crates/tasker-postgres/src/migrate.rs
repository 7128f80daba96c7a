//! The schema: brought up to date when a store connects.

use std::fmt::Write;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use tasker_store::StoreError;

use crate::database::{Database, collect};
use crate::error::{store_error, unstorable};
use crate::literal::Literal;
use crate::row::Row;
use crate::statement::{SCHEMA_APPLIED, SCHEMA_CHECK, SCHEMA_EXISTS, SCHEMA_RECORD, Script, Statement};

const ACTION: &str = "bringing the schema up to date";

/// The oldest server that has what the statements use.
const OLDEST_SERVER: i32 = 130_000;

/// Creates the schema and the record of migrations, one process at a time; does nothing where they are.
const LEDGER: &str = include_str!("../migrations/0000_ledger.sql");

/// A change of the schema.
struct Migration {
    version: i64,
    name: &'static str,
    text: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal,)*) => {
        const MIGRATIONS: &[Migration] = &[$(Migration {
            version: $version,
            name: $name,
            text: include_str!(concat!("../migrations/", $name, ".sql")),
        },)*];
    };
}

migrations! {
    1 "0001_tables",
    2 "0002_time",
    3 "0003_submit",
    4 "0004_claim",
    5 "0005_settle",
    6 "0006_commands",
    7 "0007_templates",
    8 "0008_upkeep",
    9 "0009_one",
    10 "0010_told",
    11 "0011_hop",
    12 "0012_micros",
}

/// Why the schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaError {
    #[error("the server is PostgreSQL {found}, and at least 13 is needed")]
    OldServer { found: i32 },
    #[error(
        "transactions are {found:?} by default, and this store needs \"read committed\": \
         set default_transaction_isolation for its role or database"
    )]
    Isolation { found: String },
    #[error("the database is encoded in {found}, and this store needs UTF8: create another database")]
    Encoding { found: String },
    #[error(
        "migration {name} was applied with other content: this database belongs to another build, \
         or the file was changed after it was applied"
    )]
    Changed { name: String },
}

/// Checks the server, and applies what is missing.
pub(crate) async fn migrate(database: &Database) -> Result<(), StoreError> {
    check(&database.read(ACTION, SCHEMA_CHECK, &[]).await?)?;
    let exists = database.read(ACTION, SCHEMA_EXISTS, &[]).await?;
    if exists.iter().any(|row| row.of("schema_migrations").flag("present").unwrap_or(false)) {
        let applied = database.read(ACTION, SCHEMA_APPLIED, &[]).await?;
        if missing(&applied)?.is_empty() {
            return Ok(());
        }
    }
    let failed = |error| store_error(ACTION, error);
    let mut transaction = database.pool().begin().await.map_err(failed)?;
    collect(&mut *transaction, &Arc::new(LEDGER.to_owned()), 0).await.map_err(failed)?;
    let applied = send(&mut transaction, SCHEMA_APPLIED, &[]).await?;
    for migration in missing(&applied)? {
        tracing::info!(migration = migration.name, "applying a migration");
        let text = Arc::new(migration.text.to_owned());
        collect(&mut *transaction, &text, 0).await.map_err(failed)?;
        let checksum = checksum(migration.text);
        send(&mut transaction, SCHEMA_RECORD, &[&migration.version, &migration.name, &checksum]).await?;
    }
    transaction.commit().await.map_err(failed)
}

async fn send(
    connection: &mut PgConnection,
    statement: Statement,
    arguments: &[&dyn Literal],
) -> Result<Vec<Row>, StoreError> {
    let script = Script::of(statement, arguments).map_err(|error| unstorable(ACTION, error))?;
    let results = collect(connection, &script.into_text(), 1).await;
    Ok(results.map_err(|error| store_error(ACTION, error))?.pop().unwrap_or_default())
}

/// Whether the server is one that the statements are written for.
fn check(rows: &[Row]) -> Result<(), StoreError> {
    let row = rows.first().expect("invariant: the check has one row").of("pg_settings");
    let (version, isolation): (i32, String) = (row.get("version")?, row.get("isolation")?);
    let encoding: String = row.get("encoding")?;
    let error = if version < OLDEST_SERVER {
        SchemaError::OldServer { found: version / 10_000 }
    } else if isolation != "read committed" {
        SchemaError::Isolation { found: isolation }
    } else if encoding != "UTF8" {
        SchemaError::Encoding { found: encoding }
    } else {
        return Ok(());
    };
    Err(refused(error))
}

/// The migrations that have not been applied, if those that have are the ones known here.
fn missing(applied: &[Row]) -> Result<Vec<&'static Migration>, StoreError> {
    let mut missing: Vec<_> = MIGRATIONS.iter().collect();
    let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
    for row in applied {
        let row = row.of("schema_migrations");
        let found: i64 = row.get("version")?;
        let Some(migration) = MIGRATIONS.iter().find(|migration| migration.version == found) else {
            return Err(StoreError::SchemaTooNew { found, known });
        };
        if row.text("checksum")? != checksum(migration.text) {
            return Err(refused(SchemaError::Changed { name: row.get("name")? }));
        }
        missing.retain(|other| other.version != found);
    }
    Ok(missing)
}

fn refused(error: SchemaError) -> StoreError {
    StoreError::Refused { action: ACTION, source: Arc::new(error) }
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
