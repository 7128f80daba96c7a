//! The suite that every store must pass.

use std::sync::Arc;

use tasker_core::ManualClock;
use tasker_sqlite::{SqliteOptions, SqliteStore};
use tasker_store::conformance::{Bench, clock, differential_seeds, soak, stampede};
use tasker_store::memory::MemoryStore;

async fn bench() -> Bench {
    bench_by(clock()).await
}

async fn bench_by(clock: Arc<ManualClock>) -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SqliteOptions { clock: Arc::clone(&clock) as Arc<_>, ..SqliteOptions::default() };
    let path = folder.path().join("tasker.db");
    let store = SqliteStore::open(path.to_str().expect("a path in UTF-8"), options).await;
    Bench::new(Arc::new(store.expect("a new database")), clock, Box::new(folder))
}

fn reference() -> Bench {
    let clock = clock();
    Bench::new(Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<_>)), clock, Box::new(()))
}

tasker_store::conformance_tests!(bench);

mod the_same_operations_look_the_same_as_in_memory {
    use super::{bench, differential_seeds, reference};

    async fn shard(number: u64) {
        differential_seeds((number, 4), reference, bench).await;
    }

    #[tokio::test]
    async fn in_the_first_quarter_of_seeds() {
        shard(0).await;
    }

    #[tokio::test]
    async fn in_the_second_quarter_of_seeds() {
        shard(1).await;
    }

    #[tokio::test]
    async fn in_the_third_quarter_of_seeds() {
        shard(2).await;
    }

    #[tokio::test]
    async fn in_the_last_quarter_of_seeds() {
        shard(3).await;
    }
}

#[tokio::test]
async fn random_operations_keep_the_rows_true() {
    for seed in 100..120 {
        soak(seed, &bench().await, 150).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_at_once_keep_the_rows_true() {
    for seed in 0..5 {
        stampede(seed, &bench().await, 8, 60).await;
    }
}

#[tokio::test]
async fn late_tasks_are_counted_to_their_limit_from_the_oldest_on() {
    let bench = bench().await;
    for (name, thousands) in [("bank.flow: a", 9), ("aged.flow: a", 2)] {
        let plan = bench.draft_of(name).await.plan;
        for _ in 0..thousands {
            let drafts = (0..1_000).map(|_| bench.draft(plan)).collect();
            bench.try_submit(drafts).await.expect("submitted");
        }
    }
    let late = bench.store.late(bench.in_seconds(1)).await.expect("late tasks");
    let late: Vec<_> = late.iter().map(|(namespace, tasks)| (namespace.as_str(), *tasks)).collect();
    assert_eq!(late, [("aged", 1_000), ("bank", 9_000)]);
}
