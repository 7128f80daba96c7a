//! The bare store: the rows that the engine writes, in as large commits, without an engine.
//!
//! The tables are the engine's, filled by it with the same tasks. Then statements that decide nothing write what
//! running those tasks writes: each step claimed, settled and let go on, its transitions, its task's counts. What is to
//! be written is known beforehand, as are the keys; nothing is looked for, compared or answered.

mod postgres;
mod sqlite;

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::{Connection, Executor, PgConnection};

use crate::shape::Shape;
use crate::stores::{Arena, Kind, place};
use crate::throughput::{rate, submit};

/// What one statement after the other does to the steps of one level, of some tasks.
#[derive(Debug, Clone)]
pub(crate) struct Wave {
    /// The places of the tasks in the order of their ids.
    tasks: std::ops::Range<usize>,
    /// The ordinals of the steps.
    steps: Vec<u32>,
    /// The ordinals of the steps that they let go on.
    children: Vec<u32>,
    is_first: bool,
    /// How many steps are unfinished afterwards.
    unfinished: usize,
}

/// The waves that run `tasks` tasks of a shape, with about so many steps in each.
fn waves(shape: &Shape, tasks: std::ops::Range<usize>, steps_per_commit: f64) -> Vec<Wave> {
    let mut waves = Vec::new();
    let mut unfinished = shape.steps();
    for (level, steps) in shape.levels.iter().enumerate() {
        unfinished -= steps.len();
        let together = ((steps_per_commit / steps.len() as f64).round() as usize).max(1);
        let children = shape.levels.get(level + 1).cloned().unwrap_or_default();
        for from in tasks.clone().step_by(together) {
            let tasks = from..tasks.end.min(from + together);
            let (steps, children) = (steps.clone(), children.clone());
            waves.push(Wave { tasks, steps, children, is_first: level == 0, unfinished });
        }
    }
    waves
}

/// The bare store's steps per second with `tasks` tasks of a shape.
pub(crate) async fn steps_per_second(
    kind: Kind,
    shape: &Shape,
    tasks: usize,
    steps_per_commit: f64,
) -> Result<f64> {
    let arena = Arena::open(kind).await?;
    arena.register(shape).await?;
    submit(&arena, shape, tasks).await?;
    arena.rest().await?;
    let elapsed = match kind {
        Kind::Sqlite => sqlite::run(&arena.url, &waves(shape, 0..tasks, steps_per_commit)).await?,
        // Two connections, as the engine has.
        Kind::Postgres => {
            let half = tasks / 2;
            let halves = [0..half, half..tasks].map(|tasks| waves(shape, tasks, steps_per_commit));
            postgres::run(&arena.url, halves).await?
        }
    };
    arena.close().await?;
    Ok(rate(tasks * shape.steps(), elapsed))
}

/// What commits of one inserted row took.
pub(crate) async fn commit_times(kind: Kind, commits: usize) -> Result<Vec<Duration>> {
    let (url, server, _folder) = place(kind).await?;
    let mut times = Vec::with_capacity(commits);
    match kind {
        Kind::Sqlite => {
            let mut connection = sqlite::open(&url).await?;
            connection.execute("create table one (key integer primary key, at integer)").await?;
            for _ in 0..commits {
                let begun = Instant::now();
                connection.execute("insert into one (at) values (1)").await?;
                times.push(begun.elapsed());
            }
        }
        Kind::Postgres => {
            let mut connection = PgConnection::connect(&url).await?;
            connection
                .execute("create table one (key bigint generated always as identity, at bigint)")
                .await?;
            for _ in 0..commits {
                let begun = Instant::now();
                connection.execute("insert into one (at) values (1)").await?;
                times.push(begun.elapsed());
            }
            connection.close().await?;
        }
    }
    drop_database(server, &url).await?;
    Ok(times)
}

/// What commits took of what one hop of a chain writes: one step settled, the next let go on and claimed.
pub(crate) async fn hop_times(kind: Kind, shape: &Shape, tasks: usize) -> Result<Vec<Duration>> {
    let arena = Arena::open(kind).await?;
    arena.register(shape).await?;
    submit(&arena, shape, tasks).await?;
    let waves = waves(shape, 0..tasks, 1.0);
    let times = match kind {
        Kind::Sqlite => sqlite::times(&arena.url, &waves).await?,
        Kind::Postgres => postgres::times(&arena.url, &waves).await?,
    };
    arena.close().await?;
    Ok(times)
}

async fn drop_database(server: Option<String>, url: &str) -> Result<()> {
    let (Some(server), Some((_, name))) = (server, url.rsplit_once('/')) else { return Ok(()) };
    let mut connection = PgConnection::connect(&server).await?;
    let drop_it = format!("drop database if exists {name} with (force)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop_it)).execute(&mut connection).await?;
    Ok(())
}
