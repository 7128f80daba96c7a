//! Servers that go away, and transactions that get in each other's way.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use support::{ask, connection, draft, execute, plan, store, submit, texts};
use tasker_core::State;
use tasker_postgres::testing::TestDatabase;
use tasker_store::{
    Attempts, Command, ReadStore, Renewed, SettleRequest, Settled, SubmitError, Target, TaskStore, WorkStore,
};

mod support;

const CUT: &str = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and pid <> pg_backend_pid()";

#[tokio::test]
async fn a_store_recovers_when_all_its_connections_were_cut() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, "a -> b").await;
    let task = submit(&store, plan, 1).await.remove(0);
    // Several connections for reading, one for writing.
    let reads = (0..6).map(|_| store.task(task));
    futures::future::try_join_all(reads).await.expect("read");
    let mut own = connection(&database).await;
    assert!(texts(&mut own, CUT).await.len() > 1);
    for _ in 0..6 {
        assert!(store.task(task).await.expect("reading goes on at once").is_some());
    }
    texts(&mut own, CUT).await;
    let first = store.claim(ask(1)).await;
    let leases = match first {
        Ok(leases) => leases,
        // It cannot be told whether it was committed, so that it is not tried again by itself.
        Err(error) => {
            assert!(error.is_transient(), "{error:?}");
            store.claim(ask(1)).await.expect("writing goes on")
        }
    };
    assert_eq!(leases.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_never_waits_for_a_task_that_is_locked_and_the_settlement_starts_it() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, "a -> b").await;
    let task = submit(&store, plan, 1).await.remove(0);
    let mut other = connection(&database).await;
    execute(&mut other, &format!("begin; select * from tasker.tasks where id = '{task}' for update")).await;
    let claimed = tokio::time::timeout(Duration::from_secs(10), store.claim(ask(1))).await;
    let mut leases = claimed.expect("it does not wait").expect("claimed");
    assert_eq!(store.task(task).await.expect("read").expect("there").state, State::Pending);
    execute(&mut other, "rollback").await;
    let lease = leases.remove(0);
    let request = SettleRequest { settlements: vec![lease.complete(Value::Null)], claim: None };
    store.settle(request).await.expect("settled");
    let record = store.task(task).await.expect("read").expect("there");
    assert_eq!((record.state, record.started_at.is_some()), (State::InProgress, true));
    let causes: Vec<_> =
        store.history(task).await.expect("read").iter().map(|told| told.cause.as_str()).collect();
    assert_eq!(causes, ["submitted", "claimed", "started", "completed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_never_waits_for_a_step_that_is_locked_and_the_lease_holds() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, "a").await;
    submit(&store, plan, 2).await;
    let claim = ask(2);
    let leases = store.claim(claim.clone()).await.expect("claimed");
    let mut other = connection(&database).await;
    let step = leases[0].key.step;
    let lock = format!("begin; select * from tasker.steps where task_id = '{}' for update", step.task());
    execute(&mut other, &lock).await;
    let keys = leases.iter().map(|lease| lease.key).collect();
    let renewed = store.renew(claim.worker, keys, Duration::from_secs(600));
    let renewed = tokio::time::timeout(Duration::from_secs(10), renewed).await.expect("it does not wait");
    let renewed = renewed.expect("renewed");
    assert_eq!(renewed[0], Renewed::Until(leases[0].until));
    assert!(matches!(renewed[1], Renewed::Until(until) if until > leases[1].until), "{renewed:?}");
    execute(&mut other, "rollback").await;
}

/// Eight stores with commands, settlements, claims, renewals and pruning on the same few tasks: whoever
/// waited in a circle would be found by the server, which counts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_waits_in_a_circle() {
    let database = TestDatabase::create().await;
    let first = store(&database).await;
    let plan = plan(&first, "a{limit=9} -> b{limit=9}, c{limit=9}; b, c -> d").await;
    let tasks = Arc::new(submit(&first, plan, 12).await);
    let mut callers = Vec::new();
    for number in 0..8_usize {
        let store = store(&database).await;
        let tasks = Arc::clone(&tasks);
        callers.push(tokio::spawn(async move {
            for round in 0..40_usize {
                let claim = ask(7);
                let leases = store.claim(claim.clone()).await.expect("claimed");
                let keys = leases.iter().map(|lease| lease.key).collect();
                let settlements = leases.into_iter().rev().map(|lease| lease.complete(Value::Null)).collect();
                let by = || "test".to_owned();
                let (one, two) = (tasks[(number * 5 + round) % 12], tasks[(round * 7 + 12 - number) % 12]);
                let retry = Command::Retry { target: Target::Task(one), attempts: Attempts::Reset, by: by() };
                let pause = Command::Pause { task: two, by: by(), reason: None };
                let resume = Command::Resume { task: two, by: by() };
                let space = "default".parse().expect("a namespace");
                let halt = Command::PauseNamespace { namespace: space, by: by(), reason: None };
                let space = "default".parse().expect("a namespace");
                let go = Command::ResumeNamespace { namespace: space, by: by() };
                let renewed = store.renew(claim.worker, keys, Duration::from_secs(60));
                let settled = store.settle(SettleRequest { settlements, claim: None });
                let commands =
                    futures::future::join_all([retry, pause, halt].map(|command| store.command(command)));
                let (renewed, settled, commands) = tokio::join!(renewed, settled, commands);
                renewed.expect("renewed");
                assert!(settled.expect("settled").settled.iter().all(|settled| *settled != Settled::Stale));
                for answer in commands {
                    drop(answer.expect("answered"));
                }
                for command in [resume, go] {
                    let _ = store.command(command).await.expect("answered");
                }
            }
        }));
    }
    for caller in callers {
        caller.await.expect("a caller ends");
    }
    let mut own = connection(&database).await;
    execute(&mut own, "select pg_stat_clear_snapshot()").await;
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(texts(&mut own, deadlocks).await, ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_being_taken_meanwhile_is_refused_and_disturbs_nobody() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, "a").await;
    let draft = draft(plan);
    let mut other = connection(&database).await;
    let insert = format!(
        "begin; insert into tasker.tasks (id, plan_id, unfinished, active, state, requested_at, initiator, \
             source_system, reason, tags, bypass_steps, context)
         values ('{}', {}, 1, 1, 'pending', now(), '', '', '', '{{}}', '{{}}', '{{}}')",
        draft.id, plan.0
    );
    execute(&mut other, &insert).await;
    let id = draft.id;
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.submit(vec![draft]).await }
    });
    let blocked =
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while texts(&mut connection(&database).await, blocked).await.is_empty() {
        tokio::task::yield_now().await;
    }
    execute(&mut other, "commit").await;
    let refused = waiting.await.expect("a caller ends").expect("answered").expect_err("refused");
    assert_eq!(refused, SubmitError::IdTaken { index: 0, id });
}
