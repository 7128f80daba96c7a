//! Killed at any moment: every event arrives, those of a task in order, and what waits is not held in memory.

mod support;

use std::time::Duration;

use serde_json::json;
use support::service::Service;
use support::{Bench, LIFE, assert_complete_and_in_order, on_every_store, report, types_of};

/// A process that is killed this often leaves its place held each time.
const LIVES: u64 = 10;
/// More than one process reads ahead.
const TASKS: usize = 250;

on_every_store! {
    a_webhook_that_is_killed_again_and_again_misses_nothing,
    a_file_that_is_killed_again_and_again_misses_nothing,
    what_waits_for_a_receiver_waits_in_the_feed,
}

async fn a_webhook_that_is_killed_again_and_again_misses_nothing(bench: Bench) {
    let mut service = Service::start(&[]);
    let settings = json!({
        "name": "billing", "type": "webhook", "events": ["*"], "start": "beginning", "url": service.url(),
        "lease_seconds": 0.2,
    });
    let (mut tasks, mut events) = (Vec::new(), Vec::new());
    for life in 0..LIVES {
        let subscribers = bench.start(settings.clone(), life);
        tasks.push(bench.run().await);
        tasks.push(bench.run().await);
        events.extend(service.taken(1 + usize::try_from(life * 5 % 7).expect("small")).await);
        drop(subscribers);
    }
    let subscribers = bench.start(settings, LIVES);
    bench.caught_up().await;
    subscribers.stop().await;
    while let Ok(call) = service.calls.try_recv() {
        events.push(call.event());
    }
    for task in tasks {
        assert_complete_and_in_order(&events, task);
    }
}

async fn a_file_that_is_killed_again_and_again_misses_nothing(bench: Bench) {
    let settings = json!({
        "name": "audit", "type": "file", "events": ["*"], "path": "events.ndjson", "start": "beginning",
        "lease_seconds": 0.2,
    });
    let mut tasks = Vec::new();
    for life in 0..LIVES {
        let before = bench.places.position();
        let subscribers = bench.start(settings.clone(), life);
        tasks.push(bench.run().await);
        bench.places.until(|places| places.position() > before).await;
        tasks.push(bench.run().await);
        drop(subscribers);
    }
    let subscribers = bench.start(settings, LIVES);
    bench.caught_up().await;
    subscribers.stop().await;
    let events = bench.lines("events.ndjson");
    for task in tasks {
        assert_complete_and_in_order(&events, task);
    }
}

async fn what_waits_for_a_receiver_waits_in_the_feed(bench: Bench) {
    let service = Service::start(&[]);
    let (address, settings) = (
        service.address,
        json!({
            "name": "billing", "type": "webhook", "events": ["*"], "start": "beginning", "url": service.url(),
        }),
    );
    drop(service);
    let subscribers = bench.start(settings, 1);
    let mut tasks = Vec::new();
    for _ in 0..TASKS {
        tasks.push(bench.run().await);
    }
    let is_full = async {
        while report(&subscribers).waiting < 1_024 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), is_full).await.expect("in time");
    assert!(report(&subscribers).waiting <= 1_024 + 256, "no more is read than fits");
    let mut service = Service::at(address, &[]);
    let events = service.taken(TASKS * LIFE.len()).await;
    for task in tasks {
        assert_eq!(types_of(&events, task), LIFE);
    }
    bench.caught_up().await;
    subscribers.stop().await;
}
