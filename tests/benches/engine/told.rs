//! What it costs that everything is told: steps in a second with events and metrics, and without.

use std::sync::Arc;

use anyhow::Result;
use tasker_runtime::Metrics;

use crate::shape::Shape;
use crate::stores::{Arena, Kind};
use crate::throughput::{drain, submit};

const PAIRS: usize = 5;

/// The same work on a store that tells nothing, and on one whose events are routed and counted, in turn.
pub(crate) async fn steps(kind: Kind, scale: usize) -> Result<()> {
    let shape = Shape::linear()?;
    let tasks = 1_000 * scale;
    let mut ratios = Vec::new();
    let (mut silent_rates, mut told_rates) = (Vec::new(), Vec::new());
    // The first pair warms up.
    for pair in 0..=PAIRS {
        let silent = run(kind, &shape, tasks, None).await?;
        let told = run(kind, &shape, tasks, Some(&Metrics::new())).await?;
        if pair > 0 {
            ratios.push(told / silent);
            silent_rates.push(silent);
            told_rates.push(told);
        }
    }
    let (silent, told) = (median(silent_rates), median(told_rates));
    println!(
        "told       {:10} {told:>9.0} steps/s with events and metrics, {silent:.0} without: {:.0} %",
        shape.name,
        100.0 * median(ratios),
    );
    Ok(())
}

async fn run(kind: Kind, shape: &Shape, tasks: usize, metrics: Option<&Arc<Metrics>>) -> Result<f64> {
    let arena = Arena::open(kind).await?;
    arena.register(shape).await?;
    submit(&arena, shape, tasks).await?;
    arena.rest().await?;
    let store = match metrics {
        Some(metrics) => metrics.observed(Arc::clone(&arena.store)),
        None => Arc::clone(&arena.store),
    };
    let rate = drain(&store, tasks * shape.steps()).await?.rate;
    drop(store);
    arena.close().await?;
    Ok(rate)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
