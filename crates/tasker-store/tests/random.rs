//! Random operations on the store in memory: 300 seeds one after another, and many callers at once.

use std::sync::Arc;

use tasker_core::ManualClock;
use tasker_store::conformance::{Bench, clock, differential, soak, stampede};
use tasker_store::memory::MemoryStore;

fn bench_by(clock: Arc<ManualClock>) -> Bench {
    let store = MemoryStore::new(Arc::clone(&clock) as _);
    Bench::new(Arc::new(store), clock, Box::new(()))
}

#[tokio::test]
async fn random_operations_keep_the_rows_true() {
    for seed in 0..300 {
        soak(seed, &bench_by(clock()), 150).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_at_once_keep_the_rows_true() {
    for seed in 0..60 {
        stampede(seed, &bench_by(clock()), 8, 60).await;
    }
}

#[tokio::test]
async fn the_same_operations_look_the_same_on_two_stores() {
    for seed in 0..20 {
        differential(seed, &bench_by(clock()), &bench_by(clock()), 200).await;
    }
}

#[tokio::test]
#[should_panic(expected = " differs: seed 3, the first ")]
async fn a_difference_is_found_and_told_with_its_seed() {
    let (one, two) = (bench_by(clock()), bench_by(clock()));
    two.pause_namespace("shop").await.expect("paused");
    differential(3, &one, &two, 20).await;
}
