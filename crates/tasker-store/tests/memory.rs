//! The store in memory passes the suite.

use std::sync::Arc;

use tasker_store::conformance::{Bench, clock};
use tasker_store::memory::MemoryStore;

#[expect(clippy::unused_async, reason = "the suite awaits benches, which may have to start a server")]
async fn bench() -> Bench {
    let clock = clock();
    let store = MemoryStore::new(Arc::clone(&clock) as _);
    Bench::new(Arc::new(store), clock, Box::new(()))
}

tasker_store::conformance_tests!(bench);

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
