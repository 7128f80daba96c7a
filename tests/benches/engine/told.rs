//! What it costs that everything is told: steps in a second with events, metrics and traces, and without.

use std::sync::Arc;

use anyhow::{Context, Result};
use tasker_runtime::{Metrics, Process, TracesProtocol, TracesSettings, Tracing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::shape::Shape;
use crate::stores::{Arena, Kind};
use crate::throughput::{drain, drain_watched, submit};

const ROUNDS: usize = 5;
/// Which part of all tasks is traced.
const RATIO: f64 = 0.1;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Metrics,
    MetricsAndTraces,
}

/// The same work while nothing is told, while events are routed and counted, and while one task in ten is traced as
/// well, in turn.
pub(crate) async fn steps(kind: Kind, scale: usize) -> Result<()> {
    let shape = Shape::linear()?;
    let tasks = 1_000 * scale;
    let collector = collector().await?;
    let mut rates = [const { Vec::new() }; 3];
    let mut ratios = [const { Vec::new() }; 3];
    // The first round warms up.
    for round in 0..=ROUNDS {
        let mut silent = 0.0;
        for (place, told) in [Told::Nothing, Told::Metrics, Told::MetricsAndTraces].into_iter().enumerate() {
            let rate = run(kind, &shape, tasks, (told, &collector)).await?;
            if told == Told::Nothing {
                silent = rate;
            }
            if round > 0 {
                rates[place].push(rate);
                ratios[place].push(rate / silent);
            }
        }
    }
    let [silent, metrics, traces] = rates.map(median);
    let [_, with_metrics, with_traces] = ratios.map(median);
    println!(
        "told       {:10} {metrics:>9.0} steps/s with events and metrics, {traces:.0} with {:.0} % traces as well, {silent:.0} \
         without: {:.0} %, {:.0} %",
        shape.name,
        100.0 * RATIO,
        100.0 * with_metrics,
        100.0 * with_traces,
    );
    Ok(())
}

async fn run(kind: Kind, shape: &Shape, tasks: usize, (told, collector): (Told, &str)) -> Result<f64> {
    let arena = Arena::open(kind).await?;
    arena.register(shape).await?;
    submit(&arena, shape, tasks).await?;
    arena.rest().await?;
    let steps = tasks * shape.steps();
    let rate = match told {
        Told::Nothing => drain(&arena.store, steps).await?.rate,
        Told::Metrics => watched(&arena, steps, None).await?,
        Told::MetricsAndTraces => {
            let (endpoint, protocol) = (collector.to_owned(), TracesProtocol::Http);
            let settings = TracesSettings {
                enabled: true,
                endpoint,
                protocol,
                ratio: RATIO,
                ..TracesSettings::default()
            };
            watched(&arena, steps, Tracing::start(&settings)?).await?
        }
    };
    arena.close().await?;
    Ok(rate)
}

async fn watched(arena: &Arena, steps: usize, traces: Option<Arc<Tracing>>) -> Result<f64> {
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
    let rate = drain_watched(&store, steps, watch).await?.rate;
    stop.cancel();
    process.run().await?;
    Ok(rate)
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
