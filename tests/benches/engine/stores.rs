//! The stores that are measured, each empty and of its own.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use sqlx::Connection;
use tasker_engine::{Engine, EngineSettings};
use tasker_runtime::{DatabaseSettings, open_store};
use tasker_store::{Store, WhenTaken};
use tempfile::TempDir;

use crate::shape::Shape;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An `SQLite` file, every commit on disk.
    Sqlite,
    /// `PostgreSQL`, every commit on disk.
    Postgres,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite, synchronous=FULL",
            Self::Postgres => "PostgreSQL, synchronous_commit=on",
        })
    }
}

/// An empty database, which goes away when it is closed.
pub(crate) struct Arena {
    pub(crate) url: String,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Engine,
    server: Option<String>,
    _folder: Option<TempDir>,
}

impl Arena {
    pub(crate) async fn open(kind: Kind) -> Result<Self> {
        let (url, server, folder) = place(kind).await?;
        let store = open_store(&DatabaseSettings { url: url.clone(), ..DatabaseSettings::default() }).await?;
        let engine = Engine::new(Arc::clone(&store), EngineSettings::default());
        Ok(Self { url, store, engine, server, _folder: folder })
    }

    pub(crate) async fn register(&self, shape: &Shape) -> Result<()> {
        self.engine.register(Arc::clone(&shape.template), WhenTaken::Replace).await?;
        Ok(())
    }

    /// Waits until PostgreSQL has cleaned up after many writes: what it does in the background is not what the tables
    /// cost. SQLite does nothing in the background.
    pub(crate) async fn rest(&self) -> Result<()> {
        if self.server.is_some() {
            let mut connection = sqlx::PgConnection::connect(&self.url).await?;
            sqlx::raw_sql("vacuum analyze").execute(&mut connection).await?;
            sqlx::raw_sql("checkpoint").execute(&mut connection).await?;
        }
        Ok(())
    }

    pub(crate) async fn close(self) -> Result<()> {
        let (server, url) = (self.server, self.url);
        drop(self.engine);
        drop(self.store);
        if let Some(server) = server {
            let name = url.rsplit('/').next().context("a URL ends with the database")?;
            let mut connection = sqlx::PgConnection::connect(&server).await?;
            let drop_it = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            sqlx::raw_sql(sqlx::AssertSqlSafe(drop_it)).execute(&mut connection).await?;
        }
        Ok(())
    }
}

/// The URL of a new, empty database; the server's, if it has one; the folder, if it is a file.
#[expect(clippy::disallowed_methods, reason = "set by cargo xtask bench")]
pub(crate) async fn place(kind: Kind) -> Result<(String, Option<String>, Option<TempDir>)> {
    match kind {
        Kind::Sqlite => {
            let folder = tempfile::tempdir()?;
            Ok((format!("sqlite:{}", folder.path().join("bench.db").display()), None, Some(folder)))
        }
        Kind::Postgres => {
            let server = std::env::var("TASKER_TEST_POSTGRES_URL")
                .context("TASKER_TEST_POSTGRES_URL is not set: run `cargo xtask bench`")?;
            let name = format!("bench_{:016x}", StdRng::from_os_rng().next_u64());
            let mut connection = sqlx::PgConnection::connect(&server).await?;
            let create = format!("CREATE DATABASE {name}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await?;
            let (base, _) = server.rsplit_once('/').context("a URL ends with the database")?;
            Ok((format!("{base}/{name}"), Some(server), None))
        }
    }
}
