//! Databases that live as long as one test.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use uuid::Uuid;

/// The variable with the URL of a server: any database of it, as a role that may create others.
pub const SERVER_URL: &str = "TASKER_TEST_POSTGRES_URL";

/// A database of its own for one test, on the server that [`SERVER_URL`] names. It is removed when this is
/// dropped.
#[derive(Debug)]
pub struct TestDatabase {
    server: PgConnectOptions,
    name: String,
    url: String,
}

impl TestDatabase {
    /// Creates a database with a random name.
    ///
    /// # Panics
    ///
    /// If [`SERVER_URL`] is not set, or the server refuses.
    #[expect(clippy::disallowed_methods, reason = "a test finds its server through the environment")]
    pub async fn create() -> Self {
        let server = std::env::var(SERVER_URL).unwrap_or_else(|_| {
            panic!("{SERVER_URL} is not set: run `cargo xtask services`, or name a server whose role may create databases")
        });
        Self::create_on(&server).await
    }

    /// Creates a database with a random name on the server at `url`.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn create_on(url: &str) -> Self {
        let server = PgConnectOptions::from_str(url).expect("the URL of the test server can be read");
        // A proxy refuses this parameter.
        let server = server.extra_float_digits(None);
        let name = format!("tasker_test_{}", Uuid::now_v7().simple());
        execute(&server, format!("create database {name} encoding 'UTF8' template template0")).await;
        let mut own = server.clone().database(&name).to_url_lossy();
        // The URL is built anew, and would bring back a parameter that proxies refuse.
        own.set_query(url.split_once('?').map(|(_, query)| query));
        Self { server, name, url: own.to_string() }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL in it, as it is.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn execute(&self, sql: &str) {
        execute(&self.server.clone().database(&self.name), sql.to_owned()).await;
    }
}

/// Removes the database, with whoever is still connected. A destructor cannot wait for a future, so that
/// the work is done by a thread of its own.
impl Drop for TestDatabase {
    fn drop(&mut self) {
        let server = self.server.clone();
        let sql = format!("drop database if exists {} with (force)", self.name);
        let remover = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(execute(&server, sql));
        });
        // Where it failed, the database stays; the test's own outcome is what counts.
        let _ = remover.join();
    }
}

async fn execute(server: &PgConnectOptions, sql: String) {
    let mut connection = server.connect().await.expect("the test server answers");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the test server obeys");
    connection.close().await.expect("the test server says goodbye");
}
