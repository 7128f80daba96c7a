//! What is in the tables does not slow the work: finished steps, ready steps of a handler nobody serves, wide tasks.

use anyhow::Result;
use serde_json::json;

use crate::latency::median_hop;
use crate::shape::Shape;
use crate::stores::{Arena, Kind};
use crate::throughput::{drain, submit};

/// How often a rate is measured; the median counts.
const ROUNDS: usize = 5;
/// How many steps each time.
const STEPS: usize = 20_000;

pub(crate) async fn claims(kind: Kind, scale: usize) -> Result<()> {
    let chain = Shape::linear()?;
    let heap = 100_000 * scale;
    let arena = Arena::open(kind).await?;
    arena.register(&chain).await?;

    // The first round warms up: files grow, plans are made.
    probe(&arena, &chain).await?;
    let empty = probe(&arena, &chain).await?;
    print("empty tables", &empty, &empty);

    submit(&arena, &chain, heap / chain.steps()).await?;
    drain(&arena.store, heap).await?;
    print(&format!("{heap} finished steps"), &probe(&arena, &chain).await?, &empty);

    let unserved = unserved()?;
    arena.register(&unserved).await?;
    submit(&arena, &unserved, heap / unserved.steps()).await?;
    print(&format!("and {heap} ready and unserved"), &probe(&arena, &chain).await?, &empty);
    arena.close().await?;
    widths(kind).await
}

/// What a step of a small task costs, and one of a large task.
async fn widths(kind: Kind) -> Result<()> {
    let mut rates = Vec::new();
    for (name, width, tasks) in [("fan8", 8, 2_000), ("fan9998", 9_998, 2)] {
        let arena = Arena::open(kind).await?;
        let shape = Shape::fan(name, width)?;
        arena.register(&shape).await?;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            submit(&arena, &shape, tasks).await?;
            rounds.push(drain(&arena.store, tasks * shape.steps()).await?.rate);
        }
        rates.push(median(rounds));
        arena.close().await?;
    }
    println!(
        "flat       tasks of 10 steps {:.0} steps/s, of 10,000 steps {:.0} steps/s, {:.0} %",
        rates[0],
        rates[1],
        100.0 * rates[1] / rates[0]
    );
    Ok(())
}

/// What the tables let through at some time.
struct Probe {
    steps_per_second: f64,
    hop_millis: f64,
}

async fn probe(arena: &Arena, chain: &Shape) -> Result<Probe> {
    arena.rest().await?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        submit(arena, chain, STEPS / chain.steps()).await?;
        rates.push(drain(&arena.store, STEPS).await?.rate);
    }
    arena.rest().await?;
    Ok(Probe { steps_per_second: median(rates), hop_millis: median_hop(arena, chain, 200).await? })
}

fn print(tables: &str, probe: &Probe, empty: &Probe) {
    println!(
        "flat       {tables:<30} {:>9.0} steps/s, {:.0} %; hop p50 {:.3} ms, {:.0} %",
        probe.steps_per_second,
        100.0 * probe.steps_per_second / empty.steps_per_second,
        probe.hop_millis,
        100.0 * probe.hop_millis / empty.hop_millis
    );
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// A thousand ready steps of a handler that no worker offers.
fn unserved() -> Result<Shape> {
    let steps: Vec<_> =
        (0..1_000).map(|step| json!({ "name": format!("u{step}"), "handler_class": "nobody" })).collect();
    let definition = json!({ "name": "unserved", "namespace_name": "bench", "step_templates": steps });
    let template = tasker_core::TaskTemplate::from_definition(&definition);
    let template = template.map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(Shape { name: "unserved", template: template.into(), levels: vec![(0..1_000).collect()] })
}
