//! What it costs that everything is told: steps in a second with events, metrics and traces, and without.
//!
//! Each run is a process of its own, as a process has one log and one set of traces.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tasker_runtime::{
    LogSettings, Metrics, Process, Settings, Telemetry, TracesProtocol, TracesSettings, Tracing,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::shape::Shape;
use crate::stores::{Arena, Kind};
use crate::throughput::{Run, drain, drain_watched, submit};

/// Many, and short: what disturbs a run, a checkpoint or a neighbour, moves it by a tenth.
const ROUNDS: usize = 15;
/// Which part of all tasks is traced.
const RATIO: f64 = 0.1;
/// Traces are taken to be written once none was sent for so long: a batch waits five seconds at most.
const SILENCE: Duration = Duration::from_secs(6);

/// What is told.
const TOLD: [&str; 3] = ["nothing", "metrics", "traces"];

/// What was seen in one run.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Steps per second.
    rate: f64,
    /// The CPU time of this process and of the database, in microseconds for each step.
    cpu: f64,
    /// Spans of the tasks of this run: all of them, those that were written when the work was done, and lost ones.
    spans: [f64; 3],
}

impl From<Run> for Seen {
    fn from(run: Run) -> Self {
        Self { rate: run.rate, cpu: run.engine_micros + run.database_micros, ..Self::default() }
    }
}

/// The same work while nothing is told, while events are routed and counted, and while one task in ten is traced as
/// well, in turn: each is the first of a round as often as the others.
pub(crate) async fn steps(kind: Kind, scale: usize) -> Result<()> {
    let (shape, tasks) = (Shape::linear()?, 1_000 * scale);
    let mut seen = [const { Vec::new() }; 3];
    // The first round warms up.
    for round in 0..=ROUNDS {
        for place in (0..TOLD.len()).map(|turn| (round + turn) % TOLD.len()) {
            let run = tokio::task::spawn_blocking(move || in_a_process(kind, TOLD[place], tasks)).await??;
            if round > 0 {
                seen[place].push(run);
            }
        }
    }
    for (told, runs) in TOLD.into_iter().zip(&seen) {
        let ratio = median(runs.iter().zip(&seen[0]).map(|(run, silent)| run.rate / silent.rate).collect());
        println!(
            "told       {:10} {:>9.0} steps/s, told is {told}: {:.0} %    \
             CPU µs/step, engine and database: {:.1}",
            shape.name,
            median(runs.iter().map(|run| run.rate).collect()),
            100.0 * ratio,
            median(runs.iter().map(|run| run.cpu).collect()),
        );
    }
    let spans = |place: usize| seen[2].iter().map(|run: &Seen| run.spans[place]).sum::<f64>();
    println!(
        "told       {:10} {:>9.0} spans of {:.0} % of the tasks, {:.0} % of them written when the work was done, {:.0} lost",
        shape.name,
        spans(0),
        100.0 * RATIO,
        100.0 * spans(1) / spans(0),
        spans(2),
    );
    Ok(())
}

fn in_a_process(kind: Kind, told: &str, tasks: usize) -> Result<Seen> {
    let store = if kind == Kind::Sqlite { "--sqlite" } else { "--postgres" };
    let mut command = Command::new(std::env::current_exe()?);
    let run =
        command.args(["told-once", store, told, &tasks.to_string()]).stderr(Stdio::inherit()).output()?;
    ensure!(run.status.success(), "a run of {told} ended with {}", run.status);
    let text = String::from_utf8(run.stdout)?;
    let figures: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [rate, cpu, spans @ ..] = figures.as_slice() else { bail!("a run of {told} says {text:?}") };
    Ok(Seen { rate: *rate, cpu: *cpu, spans: spans.try_into()? })
}

/// One run, in this process: `words` are what is told, and how many tasks there are. Prints what was seen.
pub(crate) async fn once(kind: Kind, words: &[&str]) -> Result<()> {
    let [told, tasks] = words else { bail!("what is told, and of how many tasks") };
    let (shape, tasks) = (Shape::linear()?, tasks.parse::<usize>()?);
    let arena = Arena::open(kind).await?;
    arena.register(&shape).await?;
    submit(&arena, &shape, tasks).await?;
    arena.rest().await?;
    let steps = tasks * shape.steps();
    let seen = match *told {
        "nothing" => drain(&arena.store, steps).await?.into(),
        told => {
            let (enabled, protocol) = (told == "traces", TracesProtocol::Http);
            let endpoint = collector().await?;
            let traces =
                TracesSettings { enabled, endpoint, protocol, ratio: RATIO, ..TracesSettings::default() };
            let log = LogSettings { level: "off".to_owned(), ..LogSettings::default() };
            let telemetry = Telemetry::begin(&Settings { log, traces, ..Settings::default() })?;
            watched(&arena, steps, telemetry.traces).await?
        }
    };
    arena.close().await?;
    let [all, by_then, lost] = seen.spans;
    println!("{} {} {all} {by_then} {lost}", seen.rate, seen.cpu);
    Ok(())
}

async fn watched(arena: &Arena, steps: usize, traces: Option<Arc<Tracing>>) -> Result<Seen> {
    let metrics = Metrics::with(traces);
    let store = metrics.observed(Arc::clone(&arena.store));
    let stop = CancellationToken::new();
    let mut process = Process::new(stop.clone());
    if let Some(traces) = metrics.traces() {
        process.start_traces(&arena.store, traces, metrics.events());
    }
    let watch = |runner: tasker_handler::Runner| {
        let runner = runner.tell(metrics.events().clone());
        match metrics.traces() {
            Some(traces) => runner.trace_with(Arc::clone(traces) as Arc<_>),
            None => runner,
        }
    };
    let mut seen: Seen = drain_watched(&store, steps, watch).await?.into();
    if let Some(traces) = metrics.traces() {
        let report = traces.report();
        let by_then = report.exported + report.waiting;
        let (mut exported, mut since) = (report.exported, Instant::now());
        while since.elapsed() < SILENCE {
            // sleep: a measurement takes its time.
            tokio::time::sleep(Duration::from_millis(100)).await;
            if std::mem::replace(&mut exported, traces.report().exported) != exported {
                since = Instant::now();
            }
        }
        let report = traces.report();
        let lost = report.dropped + report.failed + traces.missed();
        seen.spans = [exported + lost, by_then, lost].map(|count| count as f64);
    }
    stop.cancel();
    process.run().await?;
    Ok(seen)
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
