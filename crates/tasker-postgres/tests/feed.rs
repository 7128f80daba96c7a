//! The feed under transactions that end out of order, and hints between processes.

use std::time::Duration;

use sqlx::PgConnection;
use support::{connection, execute, plan, store, store_with, submit, texts};
use tasker_core::TaskId;
use tasker_postgres::testing::TestDatabase;
use tasker_postgres::{Listen, PostgresStore};
use tasker_store::{FeedStore, PlanId, StoreError};
use tokio::time::timeout;

mod support;

/// Begins a transaction that changes a task, and so writes a transition that is not yet committed.
async fn write(connection: &mut PgConnection, task: TaskId) {
    let cancel = format!("begin; select tasker.cancel_task(null, '{task}', 'test', null)");
    execute(connection, &cancel).await;
}

async fn seqs(store: &PostgresStore, after: i64) -> Vec<i64> {
    let page = store.feed(after, 100).await.expect("a page");
    page.transitions.iter().map(|transition| transition.seq).collect()
}

#[tokio::test]
async fn a_row_that_commits_late_is_not_skipped() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, "a").await;
    let tasks = submit(&store, plan, 2).await;
    let end = store.feed_end().await.expect("an end");
    let (mut slow, mut quick) = (connection(&database).await, connection(&database).await);
    write(&mut slow, tasks[0]).await;
    write(&mut quick, tasks[1]).await;
    execute(&mut quick, "commit").await;
    // The later numbers are there, the earlier ones are not.
    assert_eq!(seqs(&store, end).await, [0; 0]);
    execute(&mut slow, "commit").await;
    assert_eq!(seqs(&store, end).await, [end + 1, end + 2, end + 3, end + 4]);
}

#[tokio::test]
async fn a_store_that_has_read_nothing_yet_skips_nothing_either() {
    let database = TestDatabase::create().await;
    let first = store(&database).await;
    let plan = plan(&first, "a").await;
    let tasks = submit(&first, plan, 2).await;
    let (mut slow, mut quick) = (connection(&database).await, connection(&database).await);
    write(&mut slow, tasks[0]).await;
    write(&mut quick, tasks[1]).await;
    execute(&mut quick, "commit").await;
    let late = store(&database).await;
    assert_eq!(seqs(&late, 0).await, [0; 0]);
    let error = late.feed_end().await.expect_err("the end is not known");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    execute(&mut slow, "rollback").await;
    assert_eq!(late.feed_end().await.expect("an end"), 6);
    assert_eq!(seqs(&late, 0).await, [1, 2, 5, 6]);
}

#[tokio::test]
async fn what_was_committed_before_the_oldest_open_transaction_is_read_meanwhile() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, "a").await;
    let tasks = submit(&store, plan, 1).await;
    assert_eq!(seqs(&store, 0).await, [1]);
    let mut slow = connection(&database).await;
    write(&mut slow, tasks[0]).await;
    submit(&store, plan, 1).await;
    assert_eq!(seqs(&store, 0).await, [1]);
    execute(&mut slow, "commit").await;
    assert_eq!(seqs(&store, 1).await, [2, 3, 4]);
}

#[tokio::test]
async fn a_long_transaction_that_writes_no_transition_does_not_hold_the_feed_back() {
    let database = TestDatabase::create().await;
    let elsewhere = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, "a").await;
    let (mut here, mut there) = (connection(&database).await, connection(&elsewhere).await);
    execute(&mut here, "create table public.other (n int); begin; insert into public.other values (1)").await;
    execute(&mut there, "create table public.other (n int); begin; insert into public.other values (1)")
        .await;
    submit(&store, plan, 3).await;
    assert_eq!(seqs(&store, 0).await, [1, 2, 3]);
    submit(&store, plan, 1).await;
    assert_eq!(store.feed_end().await.expect("an end"), 4);
    execute(&mut here, "rollback").await;
    execute(&mut there, "rollback").await;
}

#[tokio::test]
async fn a_reader_who_waits_reads_on_when_the_late_row_is_there() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, "a").await;
    let tasks = submit(&store, plan, 1).await;
    let end = store.feed_end().await.expect("an end");
    let mut slow = connection(&database).await;
    write(&mut slow, tasks[0]).await;
    let reader = tokio::spawn({
        let store = std::sync::Arc::clone(&store);
        async move { seqs(&store, end).await }
    });
    tokio::task::yield_now().await;
    execute(&mut slow, "commit").await;
    assert_eq!(reader.await.expect("a reader"), [end + 1, end + 2]);
}

/// Commits in one store until the other has heard of it.
async fn heard(here: &PostgresStore, there: &PostgresStore, plan: PlanId) {
    let mut ready = there.wake().ready();
    for _ in 0..40 {
        ready.borrow_and_update();
        submit(here, plan, 1).await;
        if timeout(Duration::from_millis(500), ready.changed()).await.is_ok() {
            return;
        }
    }
    panic!("nothing was heard");
}

/// Waits until both stores have been silent for a while.
async fn silence(stores: [&PostgresStore; 2]) -> bool {
    let mut ready = stores.map(|store| store.wake().ready());
    let mut feed = stores.map(|store| store.wake().feed());
    for _ in 0..20 {
        // sleep: what must not come can only be waited for.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let hints = ready.iter_mut().chain(&mut feed);
        if hints
            .filter(|hint| hint.has_changed().expect("open"))
            .map(|hint| drop(hint.borrow_and_update()))
            .count()
            == 0
        {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_wakes_those_who_wait_in_another_process() {
    let database = TestDatabase::create().await;
    let here = store(&database).await;
    let there = store_with(&database, Listen::On).await;
    let plan = plan(&here, "a").await;
    let mut feed = there.wake().feed();
    heard(&here, &there, plan).await;
    assert!(silence([&here, &there]).await);
    // Now it surely listens, and what it hears is a commit.
    feed.borrow_and_update();
    let mut ready = there.wake().ready();
    submit(&here, plan, 1).await;
    timeout(Duration::from_secs(20), ready.changed()).await.expect("in time").expect("a hint");
    timeout(Duration::from_secs(20), feed.changed()).await.expect("in time").expect("a hint");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_are_not_sent_back_and_forth() {
    let database = TestDatabase::create().await;
    let (one, two) = (store_with(&database, Listen::On).await, store_with(&database, Listen::On).await);
    let plan = plan(&one, "a").await;
    heard(&one, &two, plan).await;
    heard(&two, &one, plan).await;
    assert!(silence([&one, &two]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_whose_connection_was_cut_listens_again() {
    let database = TestDatabase::create().await;
    let here = store(&database).await;
    let there = store_with(&database, Listen::On).await;
    let plan = plan(&here, "a").await;
    heard(&here, &there, plan).await;
    assert!(silence([&here, &there]).await);
    let mut ready = there.wake().ready();
    let mut own = connection(&database).await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity \
               where datname = current_database() and query like 'LISTEN%' and pid <> pg_backend_pid()";
    assert_eq!(texts(&mut own, cut).await, ["t"]);
    // It may have missed something meanwhile, and says so when it listens again.
    timeout(Duration::from_secs(20), ready.changed()).await.expect("it is back").expect("a hint");
    heard(&here, &there, plan).await;
}
