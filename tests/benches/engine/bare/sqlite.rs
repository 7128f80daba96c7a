//! On SQLite: one connection, statements over lists of keys.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

use super::Wave;

/// ?1 the keys of the tasks, ?2 the keys of the steps, ?3 those of the steps that go on, ?4 how many steps are
/// unfinished afterwards, ?5 how many of the task may be claimed then.
const START: [&str; 2] = [
    "insert into transitions (task_key, from_state, to_state, cause, at) \
     select value, 'pending', 'in_progress', 'started', 1 from json_each(?1)",
    "update tasks set state = 'in_progress', started_at = 1 where key in (select value from json_each(?1))",
];

const STEPS: [&str; 4] = [
    "insert into transitions (task_key, ordinal, attempt, from_state, to_state, cause, at, by) \
     select value >> 20, value & 1048575, 1, 'pending', 'in_progress', 'claimed', 1, '0199c2a4-5b1e-7c3d-9a4f-2e6b1c800000' \
     from json_each(?2)",
    "update steps set state = 'in_progress', attempts = attempts + 1, ready_at = null, worker_id = zeroblob(16), \
     lease_until = 30000001, started_at = 1, ended_at = null where key in (select value from json_each(?2))",
    "update steps set state = 'complete', ready_at = null, worker_id = null, lease_until = null, ended_at = 1, \
     results = 'null', failure = null where key in (select value from json_each(?2))",
    "insert into transitions (task_key, ordinal, attempt, from_state, to_state, cause, at) \
     select value >> 20, value & 1048575, 1, 'in_progress', 'complete', 'completed', 1 from json_each(?2)",
];

const GO_ON: [&str; 2] = [
    "update steps set unmet = 0, ready_at = 1 where key in (select value from json_each(?3))",
    "update tasks set unfinished = ?4, active = ?5 where key in (select value from json_each(?1))",
];

const END: [&str; 2] = [
    "update tasks set unfinished = ?4, active = ?5, state = 'complete', ended_at = 1 \
     where key in (select value from json_each(?1))",
    "insert into transitions (task_key, from_state, to_state, cause, at) \
     select value, 'in_progress', 'complete', 'completed', 1 from json_each(?1)",
];

pub(crate) async fn open(url: &str) -> Result<SqliteConnection> {
    let path = url.trim_start_matches("sqlite:");
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    Ok(options.connect().await?)
}

pub(crate) async fn run(url: &str, waves: &[Wave]) -> Result<Duration> {
    Ok(times(url, waves).await?.into_iter().sum())
}

/// How long each wave took, from its first statement to the end of its commit.
pub(crate) async fn times(url: &str, waves: &[Wave]) -> Result<Vec<Duration>> {
    let mut connection = open(url).await?;
    let rows = sqlx::query("select key from tasks order by id").fetch_all(&mut connection).await?;
    let tasks: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    let mut times = Vec::with_capacity(waves.len());
    for wave in waves {
        let begun = Instant::now();
        write(&mut connection, &tasks[wave.tasks.clone()], wave).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

async fn write(connection: &mut SqliteConnection, tasks: &[i64], wave: &Wave) -> Result<()> {
    let keys = |ordinals: &[u32]| {
        let keys =
            tasks.iter().flat_map(|task| ordinals.iter().map(move |step| task << 20 | i64::from(*step)));
        json!(keys.collect::<Vec<_>>()).to_string()
    };
    let (steps, children, all) = (keys(&wave.steps), keys(&wave.children), json!(tasks).to_string());
    let begin: &[&'static str] = if wave.is_first { &START } else { &[] };
    let end = if wave.children.is_empty() { END } else { GO_ON };
    let mut transaction = connection.begin_with("begin immediate").await?;
    for statement in begin.iter().copied().chain(STEPS).chain(end) {
        sqlx::query(statement)
            .bind(&all)
            .bind(&steps)
            .bind(&children)
            .bind(wave.unfinished as i64)
            .bind(wave.children.len() as i64)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}
