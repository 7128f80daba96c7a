//! How long a hop takes when nothing else happens: one task of four steps at a time.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use tasker_core::{Outcome, Timestamp, WorkerId};
use tasker_engine::TaskRequest;
use tasker_handler::{
    InputNeed, Placement, Registration, Registry, Runner, RunnerSettings, StepContext, StepHandler,
    Surroundings,
};
use tokio_util::sync::CancellationToken;

use crate::bare;
use crate::shape::Shape;
use crate::stores::{Arena, Kind};

/// Notes when it was called, and does nothing.
struct Stopwatch(Arc<Mutex<Vec<Instant>>>);

#[async_trait::async_trait]
impl StepHandler for Stopwatch {
    async fn run(&self, _: &StepContext) -> Outcome {
        self.0.lock().expect("nobody panics").push(Instant::now());
        Outcome::Done(json!(null))
    }

    fn wants_inputs(&self) -> InputNeed {
        InputNeed::None
    }

    fn placement(&self) -> Placement {
        Placement::Inline
    }
}

/// What was seen while tasks ran one at a time.
struct Seen {
    /// From a submission to the first call of a handler.
    first_calls: Vec<Duration>,
    /// From one call of a handler to the next.
    hops: Vec<Duration>,
    commits_per_task: f64,
}

/// How often engine and bare store take turns: a machine is not as quick at one moment as at another.
const ROUNDS: usize = 5;

pub(crate) async fn hops(kind: Kind, scale: usize) -> Result<()> {
    let tasks = 10 * scale;
    let shape = Shape::linear()?;
    let (mut seen, mut bare_hops, mut commits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare_hops.extend(bare::hop_times(kind, &shape, tasks).await?);
        let arena = Arena::open(kind).await?;
        arena.register(&shape).await?;
        seen.push(one_at_a_time(&arena, &shape, tasks).await?);
        arena.close().await?;
        commits.extend(bare::commit_times(kind, tasks).await?);
    }
    let (hop, commit) = (median(&mut bare_hops), median(&mut commits));
    let gather = |times: fn(&Seen) -> &Vec<Duration>| seen.iter().flat_map(times).copied().collect();
    print("hop", gather(|seen| &seen.hops), hop);
    print("first call", gather(|seen| &seen.first_calls), hop);
    println!(
        "latency    {:.1} commits per task of 4 steps; bare commit p50 {:.3} ms of a hop's rows, {:.3} ms of one row",
        seen.iter().map(|seen| seen.commits_per_task).sum::<f64>() / ROUNDS as f64,
        millis(hop),
        millis(commit)
    );
    Ok(())
}

/// The median time of a hop, in milliseconds.
pub(crate) async fn median_hop(arena: &Arena, shape: &Shape, tasks: usize) -> Result<f64> {
    Ok(millis(median(&mut one_at_a_time(arena, shape, tasks).await?.hops)))
}

/// Runs tasks of a shape, each submitted when the one before has ended.
async fn one_at_a_time(arena: &Arena, shape: &Shape, tasks: usize) -> Result<Seen> {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let mut registry = Registry::new(Surroundings::default());
    registry.replace(Registration::new("noop", Stopwatch(Arc::clone(&calls))))?;
    let settings = RunnerSettings::new(WorkerId::new(Timestamp::default(), u128::from(std::process::id())));
    let runner = Runner::new(Arc::clone(&arena.store), registry, settings, StdRng::seed_from_u64(1));
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(runner.run(shutdown.clone()));
    let (mut first_calls, mut hops) = (Vec::new(), Vec::new());
    let before = arena.store.commits();
    for _ in 0..tasks {
        calls.lock().expect("nobody panics").clear();
        let submitted = Instant::now();
        let task = arena.engine.submit(TaskRequest::new(shape.template.key().into(), json!({}))).await?.id();
        arena.engine.wait(task).await?;
        let calls = calls.lock().expect("nobody panics");
        first_calls.push(calls[0] - submitted);
        hops.extend(calls.windows(2).map(|pair| pair[1] - pair[0]));
    }
    let commits_per_task = (arena.store.commits() - before) as f64 / tasks as f64;
    shutdown.cancel();
    running.await?;
    Ok(Seen { first_calls, hops, commits_per_task })
}

fn print(what: &str, mut times: Vec<Duration>, commit: Duration) {
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "latency    {what:10} p50 {:.3} ms, p99 {:.3} ms; p50 is {:.2} bare commits",
        millis(at(0.5)),
        millis(at(0.99)),
        at(0.5).as_secs_f64() / commit.as_secs_f64()
    );
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
