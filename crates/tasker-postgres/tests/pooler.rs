//! Behind a proxy that pools transactions: every statement may meet another session.

mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use support::pooler::Pooler;
use support::{ask, plan, submit};
use tasker_core::State;
use tasker_postgres::testing::TestDatabase;
use tasker_postgres::{Listen, PostgresOptions, PostgresStore};
use tasker_store::conformance::{Bench, clock, differential, stampede};
use tasker_store::memory::MemoryStore;
use tasker_store::{ReadStore, SettleRequest, WorkStore};

/// So few that all callers share them.
const CONNECTIONS: u32 = 2;

async fn store(url: &str, options: PostgresOptions) -> PostgresStore {
    PostgresStore::connect(url, options).await.expect("a store behind the proxy")
}

/// A bench behind a proxy; what it keeps lives as long as the bench.
async fn bench() -> Bench {
    let database = TestDatabase::create().await;
    let pooler = Pooler::start(CONNECTIONS);
    let clock = clock();
    let options = PostgresOptions {
        clock: Some(Arc::clone(&clock) as Arc<_>),
        listen: Listen::Off,
        acquire_timeout: Duration::from_secs(60),
        ..PostgresOptions::default()
    };
    let store = store(&pooler.url(database.url()), options).await;
    Bench::new(Arc::new(store), clock, Box::new((pooler, database)))
}

#[tokio::test]
async fn a_store_behind_a_proxy_does_what_the_one_in_memory_does() {
    let clock = clock();
    let reference = MemoryStore::new(Arc::clone(&clock) as Arc<_>);
    let reference = Bench::new(Arc::new(reference), clock, Box::new(()));
    differential(7, &reference, &bench().await, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_share_few_sessions_of_a_proxy() {
    stampede(7, &bench().await, 8, 60).await;
}

/// Notifications do not come through; work is done all the same, by stores that share nothing but the proxy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_behind_a_proxy_do_all_the_work_once() {
    let database = TestDatabase::create().await;
    let pooler = Pooler::start(CONNECTIONS);
    let url = pooler.url(database.url());
    let options = || PostgresOptions { listen: Listen::On, ..PostgresOptions::default() };
    let (one, two) = (store(&url, options()).await, store(&url, options()).await);
    let plan = plan(&one, "a -> b").await;
    let tasks = submit(&one, plan, 50).await;
    let (first, second) = tokio::join!(work(&one), work(&two));
    assert_eq!(first + second, 100);
    for task in tasks {
        assert_eq!(one.task(task).await.expect("readable").expect("there").state, State::Complete);
    }
}

/// Claims and settles until nothing is left, and says how many steps that were.
async fn work(store: &PostgresStore) -> usize {
    let mut settled = 0;
    let mut idle = 0;
    while idle < 20 {
        let leases = store.claim(ask(7)).await.expect("claimed");
        idle = if leases.is_empty() { idle + 1 } else { 0 };
        settled += leases.len();
        let settlements = leases.into_iter().map(|lease| lease.complete(json!(1))).collect();
        store.settle(SettleRequest { settlements, claim: None }).await.expect("settled");
        if idle > 0 {
            // sleep: the other one is still at work.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    settled
}
