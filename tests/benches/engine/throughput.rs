//! Steps and submissions in a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use tasker_core::{Timestamp, WorkerId};
use tasker_engine::TaskRequest;
use tasker_handler::{Registry, Runner, RunnerSettings, Surroundings};
use tasker_store::Store;
use tokio_util::sync::CancellationToken;

use crate::bare;
use crate::shape::Shape;
use crate::stores::{Arena, Kind};
use crate::usage::{cpu_of_all, own_cpu};

const CONCURRENCY: u32 = 1_000;
const SUBMITTED_AT_ONCE: usize = 500;

/// Submissions in batches, in steps per second.
pub(crate) async fn submissions(kind: Kind, scale: usize) -> Result<()> {
    let arena = Arena::open(kind).await?;
    let shape = Shape::linear()?;
    arena.register(&shape).await?;
    let tasks = 2_500 * scale;
    let begun = Instant::now();
    submit(&arena, &shape, tasks).await?;
    let rate = rate(tasks * shape.steps(), begun.elapsed());
    println!("submit     {:10} {rate:>9.0} steps/s in batches of {SUBMITTED_AT_ONCE} tasks", shape.name);
    arena.close().await
}

/// No-op steps, with everything submitted before the clock starts.
pub(crate) async fn steps(kind: Kind, scale: usize) -> Result<()> {
    for shape in [Shape::linear()?, Shape::diamond()?, Shape::fan("fan100", 100)?] {
        let arena = Arena::open(kind).await?;
        arena.register(&shape).await?;
        let tasks = (10_000 * scale / shape.steps()).max(1_000.min(1_000 * scale / 10));
        submit(&arena, &shape, tasks).await?;
        arena.rest().await?;
        let run = drain(&arena.store, tasks * shape.steps()).await?;
        let bare = bare::steps_per_second(kind, &shape, tasks, run.steps_per_commit).await?;
        println!(
            "throughput {:10} {:>9.0} steps/s  {:>7.0} tasks/s  {:.4} commits/step  CPU µs/step: engine {:.1}, database {:.1}  \
             bare store {bare:.0} steps/s, ratio {:.0} %",
            shape.name,
            run.rate,
            run.rate / shape.steps() as f64,
            1.0 / run.steps_per_commit,
            run.engine_micros,
            run.database_micros,
            100.0 * run.rate / bare,
        );
        arena.close().await?;
    }
    Ok(())
}

/// Submits `tasks` tasks of a shape, in batches, two at a time.
pub(crate) async fn submit(arena: &Arena, shape: &Shape, tasks: usize) -> Result<()> {
    use futures::{StreamExt, TryStreamExt};
    let batches = (0..tasks).step_by(SUBMITTED_AT_ONCE).map(|from| SUBMITTED_AT_ONCE.min(tasks - from));
    let submissions = batches.map(|count| async move {
        let request = TaskRequest::new(shape.template.key().into(), json!({}));
        arena.engine.submit_all(vec![request; count]).await
    });
    futures::stream::iter(submissions).buffer_unordered(2).try_collect::<Vec<_>>().await?;
    Ok(())
}

pub(crate) struct Run {
    pub(crate) rate: f64,
    pub(crate) steps_per_commit: f64,
    pub(crate) engine_micros: f64,
    pub(crate) database_micros: f64,
    /// All of them, with those that were under way when it was over.
    pub(crate) attempts: usize,
}

/// Runs a worker until it has made `steps` attempts.
pub(crate) async fn drain(store: &Arc<dyn Store>, steps: usize) -> Result<Run> {
    drain_watched(store, steps, |runner| runner).await
}

/// Runs a worker, at which somebody looks on, until it has made `steps` attempts.
pub(crate) async fn drain_watched(
    store: &Arc<dyn Store>,
    steps: usize,
    watch: impl FnOnce(Runner) -> Runner,
) -> Result<Run> {
    let registry = Registry::new(Surroundings::default());
    let worker = WorkerId::new(Timestamp::default(), u128::from(std::process::id()));
    let settings = RunnerSettings { concurrency: CONCURRENCY, ..RunnerSettings::new(worker) };
    let runner = watch(Runner::new(Arc::clone(store), registry, settings, StdRng::seed_from_u64(1)));
    let counters = runner.counters();
    let shutdown = CancellationToken::new();
    let (commits, engine, database) = (store.commits(), own_cpu(), cpu_of_all("postgres"));
    let begun = Instant::now();
    let running = tokio::spawn(runner.run(shutdown.clone()));
    while (counters.snapshot().attempts() as usize) < steps {
        // sleep: a measurement takes its time.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (elapsed, made) = (begun.elapsed(), counters.snapshot().attempts() as usize);
    let micros = |used: Duration| used.as_secs_f64() * 1e6 / made as f64;
    let mut run = Run {
        rate: rate(made, elapsed),
        steps_per_commit: made as f64 / (store.commits() - commits).max(1) as f64,
        engine_micros: micros(own_cpu().saturating_sub(engine)),
        database_micros: micros(cpu_of_all("postgres").saturating_sub(database)),
        attempts: made,
    };
    shutdown.cancel();
    run.attempts = running.await?.attempts() as usize;
    Ok(run)
}

pub(crate) fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
