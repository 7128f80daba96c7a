//! What it costs that metrics are read: steps in a second while somebody scrapes every second, and while nobody does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tasker_runtime::{Health, HttpSettings, Metrics, interface};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::shape::Shape;
use crate::stores::{Arena, Kind};
use crate::throughput::{drain_watched, submit};
use crate::told::median;

const ROUNDS: usize = 5;
const INTERVAL: Duration = Duration::from_secs(1);
/// As Prometheus asks.
const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: tasker\r\nuser-agent: Prometheus/3.0.0\r\n\
    accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1\r\n\
    accept-encoding: gzip\r\nconnection: close\r\n\r\n";

/// How long scrapes took, and how many bytes the latest was.
#[derive(Default)]
struct Scrapes {
    seconds: Vec<f64>,
    bytes: usize,
}

/// The same work while nobody scrapes and while somebody does, in turn.
pub(crate) async fn steps(kind: Kind, scale: usize) -> Result<()> {
    let shape = Shape::linear()?;
    let tasks = 5_000 * scale;
    let (mut silent, mut scraped, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut all = Scrapes::default();
    // The first round warms up.
    for round in 0..=ROUNDS {
        let (without, _) = run(kind, &shape, tasks, None).await?;
        let (with, scrapes) = run(kind, &shape, tasks, Some(INTERVAL)).await?;
        if round > 0 {
            silent.push(without);
            scraped.push(with);
            ratios.push(with / without);
            all.seconds.extend(scrapes.seconds);
            all.bytes = scrapes.bytes;
        }
    }
    println!(
        "scraped    {:10} {:>9.0} steps/s scraped every second, {:.0} without: {:.1} % ({} scrapes, {:.1} ms and {} bytes each)",
        shape.name,
        median(scraped),
        median(silent),
        100.0 * median(ratios),
        all.seconds.len(),
        1e3 * median(all.seconds),
        all.bytes,
    );
    Ok(())
}

/// Steps in a second of a process with events, metrics and an HTTP interface.
async fn run(kind: Kind, shape: &Shape, tasks: usize, interval: Option<Duration>) -> Result<(f64, Scrapes)> {
    let arena = Arena::open(kind).await?;
    arena.register(shape).await?;
    submit(&arena, shape, tasks).await?;
    arena.rest().await?;
    let metrics = Metrics::with(None);
    let store = metrics.observed(Arc::clone(&arena.store));
    metrics.opened(Arc::clone(&store));
    let stop = CancellationToken::new();
    let health = Health::new(stop.clone(), metrics.events().clone());
    let api = interface(&HttpSettings::default(), &health, &metrics, (None, &Arc::default()))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(api.serve(listener, stop.clone()));
    let scraping = interval.map(|interval| tokio::spawn(scrape(address, interval, stop.clone())));
    let watch = |runner: tasker_handler::Runner| runner.tell(metrics.events().clone());
    let rate = drain_watched(&store, tasks * shape.steps(), watch).await?.rate;
    stop.cancel();
    serving.await??;
    let scrapes = match scraping {
        Some(scraping) => scraping.await??,
        None => Scrapes::default(),
    };
    drop(metrics);
    drop(store);
    arena.close().await?;
    Ok((rate, scrapes))
}

/// Reads the metrics again and again, until it is told to stop.
async fn scrape(address: SocketAddr, interval: Duration, stop: CancellationToken) -> Result<Scrapes> {
    let (mut scrapes, mut ticks) = (Scrapes::default(), tokio::time::interval(interval));
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(REQUEST).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let head = String::from_utf8_lossy(&answer[..answer.len().min(1_024)]).to_lowercase();
        ensure!(
            head.starts_with("http/1.1 200") && head.contains("content-encoding: gzip"),
            "no metrics: {head}"
        );
        scrapes.seconds.push(begun.elapsed().as_secs_f64());
        scrapes.bytes = answer.len();
    }
    Ok(scrapes)
}
