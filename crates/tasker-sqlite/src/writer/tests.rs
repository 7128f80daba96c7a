//! What happens to a batch that cannot be written, or is not waited for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use sqlx::sqlite::SqliteArguments;
use tasker_store::conformance::{Bench, clock};
use tasker_store::{Batch, BatchWriter, ClaimRequest, Retention, SettleRequest, StoreError, UpkeepStore};
use tempfile::TempDir;

use crate::{SqliteOptions, SqliteStore};

async fn store() -> (Arc<SqliteStore>, Bench, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    let clock = clock();
    let options = SqliteOptions { clock: Arc::clone(&clock) as Arc<_>, ..SqliteOptions::default() };
    let store = SqliteStore::open(path.to_str().expect("UTF-8"), options).await.expect("a database");
    let store = Arc::new(store);
    let bench = Bench::new(Arc::clone(&store) as Arc<_>, clock, Box::new(()));
    (store, bench, folder)
}

async fn run(store: &SqliteStore, statement: &'static str) {
    let mut session = store.writer.session.lock().await;
    let session = session.as_mut().expect("it is open");
    session.run(statement, SqliteArguments::default()).await.expect("done");
}

#[tokio::test]
async fn a_full_disk_is_told_and_survived() {
    let (store, bench, _folder) = store().await;
    let mut task = bench.draft_of("a -> b").await;
    run(&store, "pragma max_page_count = 60").await;
    task.context = json!({ "text": "x".repeat(1_000_000) });
    let batch = Batch { submissions: vec![vec![task.clone()]], ..Batch::default() };
    match store.writer.commit(&batch).await {
        Err(StoreError::Unavailable(source)) => {
            assert!(source.to_string().contains("disk that holds the database is full"), "{source}");
        }
        other => panic!("{other:?}"),
    }
    run(&store, "pragma max_page_count = 100000").await;
    assert_eq!(bench.create(task.clone()).await, task.id, "nothing of the first attempt was left behind");
    bench.check_everything().await;
}

#[tokio::test]
async fn a_batch_that_is_not_waited_for_is_whole_or_not_there() {
    let (store, bench, _folder) = store().await;
    let plan = bench.draft_of("a -> b").await.plan;
    for round in 0..40u64 {
        let tasks = (0..50).map(|_| bench.draft(plan)).collect();
        let batch = Batch { submissions: vec![tasks], ..Batch::default() };
        let patience = Duration::from_micros(round * 50);
        let _ = tokio::time::timeout(patience, store.writer.commit(&batch)).await;
    }
    bench.submit("a -> b").await;
    let made = bench.all_tasks().await.len();
    assert_eq!(made % 50, 1, "{made} tasks");
    bench.check_everything().await;
}

#[tokio::test]
async fn documents_of_many_megabytes_go_in_parts_of_one_transaction() {
    let (_store, bench, _folder) = store().await;
    let plan = bench.draft_of("a -> b").await.plan;
    let long = json!({ "text": "\u{0}\"é\\\n".repeat(220_000) });
    let mut drafts: Vec<_> = (0..3).map(|_| bench.draft(plan)).collect();
    for draft in &mut drafts {
        draft.context = long.clone();
    }
    let ids: Vec<_> = drafts.iter().map(|draft| draft.id).collect();
    bench.try_submit(drafts).await.expect("accepted");
    let leases = bench.claim(3).await.all();
    let steps: Vec<_> = leases.iter().map(|lease| lease.key.step).collect();
    assert_eq!(steps, ids.iter().map(|id| id.step(0)).collect::<Vec<_>>());
    let settlements = leases.into_iter().map(|lease| lease.complete(long.clone())).collect();
    let (reply, next) = bench.settle_and_claim(settlements, 3).await;
    assert_eq!(reply.settled.len(), 3);
    assert_eq!(next.names(), "b, b, b");
    for id in ids {
        assert_eq!(bench.inputs(id, "b").await, (long.clone(), vec![(0, long.clone())]));
        bench.check_invariants(id).await;
    }
}

#[tokio::test]
async fn pruning_gives_space_back() {
    let (store, bench, folder) = store().await;
    for _ in 0..20 {
        let mut task = bench.draft_of("a").await;
        task.context = json!({ "text": "x".repeat(100_000) });
        let id = bench.create(task).await;
        bench.cancel(id).await.expect("cancelled");
    }
    let retention = Retention { ended: Duration::ZERO, failed: Duration::ZERO };
    assert_eq!(store.prune(retention, 100).await.expect("pruned").tasks, 20);
    store.close().await.expect("closed");
    let size = std::fs::metadata(folder.path().join("tasker.db")).expect("a file").len();
    assert!(size < 500_000, "{size} bytes are left of two millions");
}

/// How much SQLite does to settle one of many steps side by side and claim the next of the same task: near the
/// beginning of the task, and near its end.
async fn operations_of_a_hop(steps: usize) -> (u64, u64) {
    let (store, bench, _folder) = store().await;
    let names: Vec<_> = (0..steps).map(|number| format!("s{number}")).collect();
    let task = bench.submit(&names.join(", ")).await;
    let count = {
        let mut session = store.writer.session.lock().await;
        session.as_mut().expect("it is open").count_operations().await.expect("counted")
    };
    let hop = async || {
        let claim = Some(ClaimRequest { task: Some(task), ..bench.ask(1).await });
        let settlements = vec![bench.claim(1).await.one().complete(json!(null))];
        count.store(0, Ordering::Relaxed);
        let reply = bench.settle_request(SettleRequest { settlements, claim }).await;
        assert_eq!(reply.leases.len(), 1);
        count.load(Ordering::Relaxed)
    };
    let first = hop().await;
    for _ in 1..steps / 100 {
        let done = bench.claim(100).await.all().into_iter().map(|lease| lease.complete(json!(null)));
        bench.settle_all(done.collect()).await;
    }
    (first, hop().await)
}

#[tokio::test]
async fn a_claim_for_a_large_task_costs_what_one_for_a_small_task_costs() {
    let (small, large) = (operations_of_a_hop(100).await, operations_of_a_hop(10_000).await);
    assert!(large.0 <= small.0 * 2 && large.1 <= small.1 * 2, "{small:?} operations became {large:?}");
}
