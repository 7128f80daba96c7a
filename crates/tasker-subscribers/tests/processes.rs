//! Real processes on a real database, killed with signal 9 in the middle of their deliveries.

mod support;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use support::service::Service;
use support::{Bench, LIFE, assert_complete_and_in_order, open, settings_of};
use tasker_core::SystemClock;
use tasker_events::{Events, Routes};
use tasker_postgres::testing::TestDatabase;
use tasker_store::Store;
use tasker_subscribers::{Subscribers, Surroundings};

/// What tells the process that delivers from a run of all tests. No test has it in its name.
const MARK: &str = "as a process of its own";
const TASKS: usize = 40;
const LIVES: usize = 5;
/// What is in flight when a process is killed, and what was taken while its place moved.
const REPEATED: usize = 12;

/// A process with the subscribers, as this test binary run for one test.
fn deliverer(orders: &Value) -> Child {
    let itself = std::env::current_exe().expect("this binary");
    let mut child = Command::new(itself)
        .args(["the_process_that_delivers", "--exact", "--skip", MARK])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    serde_json::to_writer(child.stdin.take().expect("piped"), orders).expect("it listens");
    child
}

#[tokio::test]
async fn the_process_that_delivers() {
    if !std::env::args().any(|arg| arg == MARK) {
        // It does its work for the test below, which starts it as a process of its own.
        return;
    }
    let orders: Value = serde_json::from_reader(std::io::stdin()).expect("orders");
    let text = |key: &str| orders[key].as_str().expect("a text").to_owned();
    let store = open(&text("database")).await;
    let surroundings = Surroundings {
        cursors: Arc::clone(&store) as Arc<_>,
        store,
        events: Events::builder(Routes::default()).build(),
        clock: Arc::new(SystemClock),
        seed: orders["seed"].as_u64().expect("a number"),
        environment: std::collections::BTreeMap::new(),
        base_dir: text("folder").into(),
    };
    let both = [orders["webhook"].clone(), orders["file"].clone()].map(settings_of).to_vec();
    let _subscribers = Subscribers::start(both, &surroundings).expect("usable settings");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn processes_on_sqlite_that_are_killed_in_the_middle_of_it_miss_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    miss_nothing(&folder.path().join("tasker.db").display().to_string()).await;
}

#[tokio::test]
async fn processes_on_postgres_that_are_killed_in_the_middle_of_it_miss_nothing() {
    let database = TestDatabase::create().await;
    miss_nothing(database.url()).await;
}

async fn miss_nothing(database: &str) {
    let bench = Bench::over(open(database).await).await;
    let folder = bench.folder.path();
    let mut tasks = Vec::new();
    for _ in 0..TASKS {
        tasks.push(bench.run().await);
    }
    let (mut service, mut events) = (Service::start(&[]), Vec::new());
    let common = json!({ "events": ["*"], "start": "beginning", "lease_seconds": 0.5 });
    let with = |more: Value| {
        let mut settings = common.clone();
        settings.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        settings
    };
    let mut orders = json!({
        "database": database, "folder": folder,
        "webhook": with(json!({ "name": "billing", "type": "webhook", "url": service.url(), "max_in_flight": 3 })),
        "file": with(json!({ "name": "audit", "type": "file", "path": "events.ndjson" })),
    });
    for life in 0..=LIVES {
        orders["seed"] = json!(life);
        let mut child = deliverer(&orders);
        if life < LIVES {
            events.extend(service.taken(20 + 7 * life).await);
        } else {
            while places(&bench.store).await.iter().any(|lag| *lag > 0) {
                tokio::task::yield_now().await;
            }
        }
        child.kill().expect("it runs");
        child.wait().expect("it ended");
    }
    while let Ok(call) = service.calls.try_recv() {
        events.push(call.event());
    }
    let lines = bench.lines("events.ndjson");
    for task in tasks {
        assert_complete_and_in_order(&events, task);
        assert_complete_and_in_order(&lines, task);
    }
    let repeated = events.len() - LIFE.len() * TASKS;
    assert!(repeated <= LIVES * REPEATED, "little comes twice: {repeated}");
}

/// How far the subscribers are behind; one that never began is far.
async fn places(store: &Arc<dyn Store>) -> [i64; 2] {
    let end = store.feed_end().await.expect("it is open");
    let places = store.cursors().await.expect("it is open");
    let mut lags = places.iter().map(|place| end - place.position);
    [lags.next().unwrap_or(i64::MAX), lags.next().unwrap_or(i64::MAX)]
}
