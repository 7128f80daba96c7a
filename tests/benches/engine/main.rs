//! `cargo xtask bench engine`: what the engine does in a second, beside what the bare store does.
//!
//! Everything runs on one machine: engine, handlers (no-ops) and database. Every commit is on disk. The bare
//! store's figure comes from the same run: as many rows inserted and updated, in as many statements and commits,
//! without an engine.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "counts and rates of a benchmark are far from the limits of their types"
)]

mod bare;
mod flat;
mod idle;
mod latency;
mod scraped;
mod shape;
mod stores;
mod throughput;
mod told;
mod usage;

use anyhow::{Result, bail};

use stores::Kind;

const NAMES: &str = "engine (all of these), throughput, submit, told, scraped, latency, flat, idle; options: --sqlite, --postgres, --quick";

#[tokio::main]
async fn main() -> Result<()> {
    // As handlers of requests do: on a thread of the runtime, not on the one that started it.
    tokio::spawn(run()).await?
}

async fn run() -> Result<()> {
    // `cargo bench` adds an option of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let has = |option: &str| words.iter().any(|word| word == option);
    let kinds: Vec<Kind> = match (has("--sqlite"), has("--postgres")) {
        (true, false) => vec![Kind::Sqlite],
        (false, true) => vec![Kind::Postgres],
        _ => vec![Kind::Sqlite, Kind::Postgres],
    };
    let scale = if has("--quick") { 1 } else { 10 };
    let name = words.iter().find(|word| !word.starts_with("--")).map_or("", String::as_str);
    if name == "told-once" {
        let told: Vec<&str> =
            words.iter().map(String::as_str).filter(|word| !word.starts_with("--")).skip(1).collect();
        return told::once(kinds[0], &told).await;
    }
    let names: &[&str] = match name {
        "engine" => &["submit", "throughput", "told", "scraped", "latency", "flat", "idle"],
        "throughput" => &["throughput"],
        "submit" => &["submit"],
        "told" => &["told"],
        "scraped" => &["scraped"],
        "latency" => &["latency"],
        "flat" => &["flat"],
        "idle" => &["idle"],
        other => bail!("no benchmark {other:?}; there are: {NAMES}"),
    };
    for kind in kinds {
        println!("\n== {kind}");
        for name in names {
            match *name {
                "submit" => throughput::submissions(kind, scale).await?,
                "throughput" => throughput::steps(kind, scale).await?,
                "told" => told::steps(kind, scale).await?,
                "scraped" => scraped::steps(kind, scale).await?,
                "latency" => latency::hops(kind, scale).await?,
                "flat" => flat::claims(kind, scale).await?,
                _ => idle::server(kind).await?,
            }
        }
    }
    Ok(())
}
