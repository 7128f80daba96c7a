//! What a server uses that has nothing to do.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::Connection;

use crate::stores::{Kind, place};
use crate::usage::{cpu_of_process, resident_bytes};

const WATCHED: Duration = Duration::from_mins(1);
/// PostgreSQL counts the transactions of an idle connection up to ten seconds late.
const SETTLED: Duration = Duration::from_secs(15);

pub(crate) async fn server(kind: Kind) -> Result<()> {
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--package", "tasker-server"])
        .status()?;
    ensure!(built.success(), "cargo cannot build tasker-server");
    let target = std::env::current_exe()?;
    let target =
        target.parent().and_then(|deps| deps.parent()).context("a benchmark lives in target/release/deps")?;
    let (url, database, _folder) = place(kind).await?;
    let mut server = Command::new(target.join("tasker-server"))
        .args(["--database", &url, "--worker", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // sleep: a measurement takes its time.
    tokio::time::sleep(SETTLED).await;
    vacuum(database.as_deref(), "off").await?;
    let before = cpu_of_process(server.id()).context("the server ended")?;
    let queries_before = queries(database.as_deref(), &url).await?;
    // sleep: a measurement takes its time.
    tokio::time::sleep(WATCHED).await;
    let used = cpu_of_process(server.id()).context("the server ended")?.saturating_sub(before);
    let queries_after = queries(database.as_deref(), &url).await?;
    let resident = resident_bytes(server.id()).context("the server ended")?;
    server.kill()?;
    server.wait()?;
    vacuum(database.as_deref(), "on").await?;
    println!(
        "idle       tasker-server with a worker: {:.2} % CPU over {} s, {:.1} MB resident",
        100.0 * used.as_secs_f64() / WATCHED.as_secs_f64(),
        WATCHED.as_secs(),
        resident as f64 / 1e6
    );
    if let (Some(before), Some(after)) = (queries_before, queries_after) {
        println!(
            "idle       {} transactions in these {} s, of which 6 are heartbeats",
            // Asking how many there are is one itself.
            after - before - 1,
            WATCHED.as_secs()
        );
    }
    Ok(())
}

/// Has PostgreSQL clean up by itself or not: its transactions would be counted as those of the server.
async fn vacuum(server: Option<&str>, setting: &'static str) -> Result<()> {
    let Some(server) = server else { return Ok(()) };
    let mut connection = sqlx::PgConnection::connect(server).await?;
    let set = format!("alter system set autovacuum = {setting}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&mut connection).await?;
    sqlx::raw_sql("select pg_reload_conf()").execute(&mut connection).await?;
    Ok(())
}

/// How many transactions PostgreSQL has seen in a database: each query of an idle process is one.
async fn queries(server: Option<&str>, url: &str) -> Result<Option<i64>> {
    let (Some(server), Some((_, name))) = (server, url.rsplit_once('/')) else { return Ok(None) };
    let mut connection = sqlx::PgConnection::connect(server).await?;
    let count =
        sqlx::query_scalar("select xact_commit + xact_rollback from pg_stat_database where datname = $1");
    Ok(Some(count.bind(name).fetch_one(&mut connection).await?))
}
