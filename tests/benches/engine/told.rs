//! What it costs that everything is told: steps in a second with events, metrics and traces, and without.
//!
//! Machines get slower and faster while they work, by more than what is looked for. So what is compared lies side by
//! side: the three ways take turns, for a few seconds each, on one database.
//!
//! Steps are taken in the order in which they become ready. So each turn begins with the last steps of tasks that are
//! there already and goes on with the first steps of new ones: as many tasks end as begin, and there is time to write
//! the traces of all of them while the work goes on.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tasker_handler::Runner;
use tasker_runtime::{
    LogSettings, Metrics, Process, Settings, Telemetry, TracesProtocol, TracesSettings, Tracing,
};
use tasker_store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::shape::Shape;
use crate::stores::{Arena, Kind};
use crate::throughput::{Run, drain, drain_watched, submit};

/// Processes, each with a database of its own, one after the other.
const PROCESSES: usize = 3;
/// Rounds in each of them, after one that warms up.
const ROUNDS: usize = 36;
/// Which part of all tasks is traced.
const RATIO: f64 = 0.1;
/// Traces are taken to be written once none more came for so long.
const SILENCE: Duration = Duration::from_millis(500);

/// What is told.
const TOLD: [&str; 3] = ["nothing", "metrics", "traces"];

/// What was seen in one turn.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Steps per second.
    rate: f64,
    /// The CPU time of this process and of the database, in microseconds for each step.
    cpu: f64,
    /// Spans that were written when the work was done.
    by_then: f64,
    /// Spans of the work, with those that were written later.
    spans: f64,
    lost: f64,
}

/// The same work while nothing is told, while events are routed and counted, and while one task in ten is traced as
/// well, in turn: each is the first of a round as often as the others.
pub(crate) async fn steps(kind: Kind, scale: usize) -> Result<()> {
    let (shape, tasks) = (Shape::linear()?, 1_000 * scale);
    let mut seen = [const { Vec::new() }; 3];
    for _ in 0..PROCESSES {
        let turns = tokio::task::spawn_blocking(move || in_a_process(kind, tasks)).await??;
        for (turn, figures) in turns.into_iter().enumerate() {
            seen[turn % TOLD.len()].push(figures);
        }
    }
    for (told, runs) in TOLD.into_iter().zip(&seen) {
        // Of logarithms: of ratios themselves the mean is too high, the more so the more they differ.
        let ratios: Vec<f64> =
            runs.iter().zip(&seen[0]).map(|(run, silent)| (run.rate / silent.rate).ln()).collect();
        println!(
            "told       {:10} {:>9.0} steps/s, told is {told}: {:.1} % ± {:.1}, of the middle half {:.1} %    \
             CPU µs/step, engine and database: {:.1}",
            shape.name,
            median(runs.iter().map(|run| run.rate).collect()),
            100.0 * mean(&ratios).exp(),
            100.0 * error_of_mean(&ratios),
            100.0 * mean_of_middle_half(&ratios).exp(),
            median(runs.iter().map(|run| run.cpu).collect()),
        );
    }
    let sum = |of: fn(&Seen) -> f64| seen[2].iter().map(of).sum::<f64>();
    println!(
        "told       {:10} {:>9.0} spans of {:.0} % of the tasks, {:.0} % of them written when the work was done, {:.0} lost",
        shape.name,
        sum(|seen| seen.spans),
        100.0 * RATIO,
        100.0 * sum(|seen| seen.by_then) / sum(|seen| seen.spans),
        sum(|seen| seen.lost),
    );
    Ok(())
}

/// A process has one log and one set of traces. What it saw, turn by turn, in the order of what is told.
fn in_a_process(kind: Kind, tasks: usize) -> Result<Vec<Seen>> {
    let store = if kind == Kind::Sqlite { "--sqlite" } else { "--postgres" };
    let mut command = Command::new(std::env::current_exe()?);
    let run = command.args(["told-once", store, &tasks.to_string()]).stderr(Stdio::inherit()).output()?;
    ensure!(run.status.success(), "a process that is told of ended with {}", run.status);
    let text = String::from_utf8(run.stdout)?;
    let turn = |line: &str| {
        let figures: Vec<f64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [rate, cpu, by_then, spans, lost] = figures[..] else { bail!("a turn says {line:?}") };
        Ok(Seen { rate, cpu, by_then, spans, lost })
    };
    text.lines().map(turn).collect()
}

/// Some rounds, in this process: `words` are how many tasks there are in each turn, and for who looks at a profile how
/// many rounds, and what alone is told. Prints what was seen.
pub(crate) async fn once(kind: Kind, words: &[&str]) -> Result<()> {
    let [tasks, more @ ..] = words else { bail!("how many tasks") };
    let (shape, tasks) = (Shape::linear()?, tasks.parse::<usize>()?);
    let rounds = more.first().map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let way =
        |told: &&str| TOLD.iter().position(|way| way == told).with_context(|| format!("no way {told:?}"));
    let only = more.get(1).map(way).transpose()?;
    let arena = Arena::open(kind).await?;
    arena.register(&shape).await?;
    let (protocol, endpoint) = (TracesProtocol::Http, collector().await?);
    let traces =
        TracesSettings { enabled: true, endpoint, protocol, ratio: RATIO, ..TracesSettings::default() };
    let log = LogSettings { level: "off".to_owned(), ..LogSettings::default() };
    let telemetry = Telemetry::begin(&Settings { log, traces, ..Settings::default() })?;
    let stop = CancellationToken::new();
    let mut process = Process::new(stop.clone());
    let ways = Ways::new(&arena.store, telemetry.traces.context("traces are enabled")?, &mut process);
    let process = tokio::spawn(process.run());
    submit(&arena, &shape, tasks).await?;
    // What was made too much in a turn is missing in the next.
    let mut ahead =
        drain(&arena.store, tasks * (shape.steps() - 1)).await?.attempts - tasks * (shape.steps() - 1);
    for round in 0..=rounds {
        let mut seen = [Seen::default(); 3];
        for place in (0..TOLD.len()).map(|turn| (round + turn) % TOLD.len()) {
            submit(&arena, &shape, tasks).await?;
            arena.rest().await?;
            let steps = tasks * shape.steps() - ahead;
            let attempts;
            (seen[place], attempts) = ways.turn(only.unwrap_or(place), steps).await?;
            ahead = attempts - steps;
        }
        if round > 0 {
            for Seen { rate, cpu, by_then, spans, lost } in seen {
                println!("{rate} {cpu} {by_then} {spans} {lost}");
            }
        }
    }
    stop.cancel();
    process.await??;
    drop(ways);
    arena.close().await
}

/// The same store, told of in each way.
struct Ways {
    stores: [Arc<dyn Store>; 3],
    metrics: [Option<Arc<Metrics>>; 3],
    traces: Arc<Tracing>,
}

impl Ways {
    fn new(store: &Arc<dyn Store>, traces: Arc<Tracing>, process: &mut Process) -> Self {
        let metrics = [None, Some(Metrics::new()), Some(Metrics::with(Some(Arc::clone(&traces))))];
        let stores = metrics.each_ref().map(|metrics| match metrics {
            Some(metrics) => metrics.observed(Arc::clone(store)),
            None => Arc::clone(store),
        });
        if let Some(traced) = &metrics[2] {
            process.start_traces(store, &traces, traced.events());
        }
        Self { stores, metrics, traces }
    }

    /// What was seen, and how many attempts were made.
    async fn turn(&self, place: usize, steps: usize) -> Result<(Seen, usize)> {
        let watch = |runner: Runner| {
            let Some(metrics) = &self.metrics[place] else { return runner };
            let runner = runner.tell(metrics.events().clone());
            match metrics.traces() {
                Some(traces) => runner.trace_with(Arc::clone(traces) as Arc<_>),
                None => runner,
            }
        };
        let (before, lost) = (self.came(), self.lost());
        let run = drain_watched(&self.stores[place], steps, watch).await?;
        let by_then = self.came();
        let (mut all, mut since) = (by_then, Instant::now());
        while since.elapsed() < SILENCE {
            // sleep: a measurement takes its time.
            tokio::time::sleep(Duration::from_millis(20)).await;
            if std::mem::replace(&mut all, self.came()) != all {
                since = Instant::now();
            }
        }
        let Run { rate, engine_micros, database_micros, attempts, .. } = run;
        let seen = Seen {
            rate,
            cpu: engine_micros + database_micros,
            by_then: (by_then - before) as f64,
            spans: (all - before) as f64,
            lost: (self.lost() - lost) as f64,
        };
        Ok((seen, attempts))
    }

    /// How many spans were written so far.
    fn came(&self) -> u64 {
        let report = self.traces.report();
        report.exported + report.waiting
    }

    /// How many were lost so far, with the tasks that were missed.
    fn lost(&self) -> u64 {
        let report = self.traces.report();
        report.dropped + report.failed + self.traces.missed()
    }
}

/// A collector of traces that takes everything and looks at nothing.
async fn collector() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take(stream));
        }
    });
    Ok(endpoint)
}

async fn take(mut stream: TcpStream) -> Result<()> {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let whole = end + length.context("a length")?.trim().parse::<usize>()?;
        while buffer.len() < whole {
            stream.read_buf(&mut buffer).await?;
        }
        buffer.drain(..whole);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Of what lies between the quartiles.
fn mean_of_middle_half(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    mean(&sorted[sorted.len() / 4..sorted.len() - sorted.len() / 4])
}

/// The standard error of a mean.
fn error_of_mean(values: &[f64]) -> f64 {
    let (mean, count) = (mean(values), values.len() as f64);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0) / count).sqrt()
}
