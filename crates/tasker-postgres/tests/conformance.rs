//! The suite that every store must pass, on PostgreSQL: twice, because a few steps and many take different
//! paths through the database.

use std::sync::Arc;
use std::time::Duration;

use tasker_postgres::testing::TestDatabase;
use tasker_postgres::{Listen, PostgresOptions, PostgresStore};
use tasker_store::conformance::{Bench, clock, differential_seeds, soak, stampede};
use tasker_store::memory::MemoryStore;

/// Makes many of what would be a few.
const NO_FEW: &str =
    "create or replace function tasker.few() returns integer language sql immutable as 'select 0'";

async fn bench() -> Bench {
    let database = TestDatabase::create().await;
    let clock = clock();
    let options = PostgresOptions {
        clock: Some(Arc::clone(&clock) as Arc<_>),
        listen: Listen::Off,
        acquire_timeout: Duration::from_secs(60),
        ..PostgresOptions::default()
    };
    let store = PostgresStore::connect(database.url(), options).await.expect("the test database can be used");
    Bench::new(Arc::new(store), clock, Box::new(database))
}

fn reference() -> Bench {
    let clock = clock();
    Bench::new(Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<_>)), clock, Box::new(()))
}

tasker_store::conformance_tests!(bench);

mod the_same_operations_look_the_same_as_in_memory {
    use super::{bench, differential_seeds, reference};

    async fn shard(number: u64) {
        differential_seeds((2 * number, 8), reference, bench).await;
    }

    #[tokio::test]
    async fn in_the_first_quarter_of_even_seeds() {
        shard(0).await;
    }

    #[tokio::test]
    async fn in_the_second_quarter_of_even_seeds() {
        shard(1).await;
    }

    #[tokio::test]
    async fn in_the_third_quarter_of_even_seeds() {
        shard(2).await;
    }

    #[tokio::test]
    async fn in_the_last_quarter_of_even_seeds() {
        shard(3).await;
    }
}

#[tokio::test]
async fn random_operations_keep_the_rows_true() {
    for seed in 100..110 {
        soak(seed, &bench().await, 150).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_at_once_keep_the_rows_true() {
    for seed in 0..5 {
        stampede(seed, &bench().await, 8, 60).await;
    }
}

mod in_bulk {
    use super::{Bench, NO_FEW, TestDatabase, differential_seeds, reference, soak, stampede};

    async fn bench() -> Bench {
        let bench = super::bench().await;
        let database = bench.keep.downcast_ref::<TestDatabase>().expect("a database");
        database.execute(NO_FEW).await;
        bench
    }

    tasker_store::conformance_tests!(bench);

    mod the_same_operations_look_the_same_as_in_memory {
        use super::{bench, differential_seeds, reference};

        async fn shard(number: u64) {
            differential_seeds((2 * number + 1, 8), reference, bench).await;
        }

        #[tokio::test]
        async fn in_the_first_quarter_of_odd_seeds() {
            shard(0).await;
        }

        #[tokio::test]
        async fn in_the_second_quarter_of_odd_seeds() {
            shard(1).await;
        }

        #[tokio::test]
        async fn in_the_third_quarter_of_odd_seeds() {
            shard(2).await;
        }

        #[tokio::test]
        async fn in_the_last_quarter_of_odd_seeds() {
            shard(3).await;
        }
    }

    #[tokio::test]
    async fn random_operations_keep_the_rows_true() {
        for seed in 120..130 {
            soak(seed, &bench().await, 150).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_callers_at_once_keep_the_rows_true() {
        for seed in 20..25 {
            stampede(seed, &bench().await, 8, 60).await;
        }
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
