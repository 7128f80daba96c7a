//! What is said while the process starts, runs, loses its database, and stops.

use std::sync::atomic::{AtomicU32, Ordering};

use tasker_store::{FeedPage, StoreError, Wake};
use tokio::sync::Semaphore;

use super::*;

/// A database that counts looks, can be down, and can be made to wait.
struct Database {
    looks: AtomicU32,
    is_down: Mutex<bool>,
    answers: Semaphore,
    wake: Wake,
}

impl Database {
    /// A database that gives so many answers and then hangs.
    fn answering(answers: usize) -> Arc<Self> {
        let (looks, is_down) = (AtomicU32::new(0), Mutex::new(false));
        Arc::new(Self { looks, is_down, answers: Semaphore::new(answers), wake: Wake::default() })
    }

    fn down(&self, is_down: bool) {
        *self.is_down.lock().expect("no panic") = is_down;
    }
}

#[async_trait]
impl FeedStore for Database {
    async fn feed(&self, _: i64, _: u32) -> Result<FeedPage, StoreError> {
        Err(StoreError::Closed)
    }

    async fn feed_end(&self) -> Result<i64, StoreError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.answers.acquire().await.expect("open").forget();
        let secret = std::io::Error::other("10.0.0.7 refused user tasker");
        if *self.is_down.lock().expect("no panic") {
            Err(StoreError::Unavailable(Arc::new(secret)))
        } else {
            Ok(0)
        }
    }

    fn wake(&self) -> &Wake {
        &self.wake
    }
}

/// A process whose store is open.
fn running(database: &Arc<Database>) -> Arc<Health> {
    let health = Health::new(CancellationToken::new(), Events::default());
    health.opened(Arc::clone(database) as Arc<dyn FeedStore>);
    health
}

/// What is not well.
async fn failures(health: &Health) -> String {
    let checks = health.checks().await;
    let failed = checks.iter().filter_map(|check| match &check.status {
        Status::Ok => None,
        Status::Degraded(why) | Status::Failed(why) => Some(format!("{}: {why}", check.name)),
    });
    failed.collect::<Vec<_>>().join("; ")
}

#[tokio::test(start_paused = true)]
async fn a_process_is_not_ready_before_its_store_is_open() {
    let health = Health::new(CancellationToken::new(), Events::default());
    insta::assert_snapshot!(failures(&health).await, @"database: the process starts and waits for the database; migrations: the database is not open yet");
}

#[tokio::test(start_paused = true)]
async fn a_process_is_ready_while_its_database_answers() {
    let database = Database::answering(1);
    let checks = running(&database).checks().await;
    assert!(checks.iter().all(|check| check.status == Status::Ok));
    let names: Vec<&str> = checks.iter().map(|check| check.name).collect();
    assert_eq!(names, ["process", "database", "migrations"]);
    assert!(checks[1].latency.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_is_not_ready() {
    let shutdown = CancellationToken::new();
    let health = Health::new(shutdown.clone(), Events::default());
    health.opened(Database::answering(1));
    shutdown.cancel();
    insta::assert_snapshot!(failures(&health).await, @"process: it is about to stop and takes no new work");
}

#[tokio::test(start_paused = true)]
async fn one_look_serves_all_who_ask_within_a_second() {
    let database = Database::answering(10);
    let health = running(&database);
    futures::future::join_all((0..10).map(|_| failures(&health))).await;
    failures(&health).await;
    assert_eq!(database.looks.load(Ordering::Relaxed), 1);
    tokio::time::advance(FRESH).await;
    failures(&health).await;
    assert_eq!(database.looks.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_down_is_told_without_its_secrets_until_it_is_back() {
    let database = Database::answering(10);
    let health = running(&database);
    database.down(true);
    insta::assert_snapshot!(failures(&health).await, @"database: the database is not available");
    database.down(false);
    tokio::time::advance(FRESH).await;
    assert_eq!(failures(&health).await, "");
}

#[tokio::test(start_paused = true)]
async fn while_the_database_is_known_to_be_down_the_answer_does_not_wait_for_it() {
    let database = Database::answering(1);
    let health = running(&database);
    database.down(true);
    failures(&health).await;
    tokio::time::advance(FRESH).await;
    let start = Instant::now();
    assert_ne!(failures(&health).await, "");
    assert!(start.elapsed() <= SHORT + Duration::from_millis(1));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_hangs_is_taken_for_down_until_it_answers() {
    let database = Database::answering(0);
    let health = running(&database);
    let start = Instant::now();
    assert_eq!(failures(&health).await, "database: no answer for 2 seconds");
    assert!(start.elapsed() <= PATIENCE + Duration::from_millis(1));
    let start = Instant::now();
    assert_eq!(failures(&health).await, "database: no answer for 2 seconds");
    assert!(start.elapsed() <= SHORT + Duration::from_millis(1));
    database.answers.add_permits(1);
    assert_eq!(failures(&health).await, "");
}

/// Remembers the names of events.
#[derive(Default)]
struct Diary(Mutex<Vec<String>>);

impl tasker_events::Sink for Diary {
    fn take(&self, event: &Event<'_>) {
        self.0.lock().expect("no panic").push(event.id().to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_and_its_end_are_told_once_each() {
    use tasker_events::{Backend, Routes};
    let diary = Arc::new(Diary::default());
    let events = Events::builder(Routes::default()).sink(Backend::Logs, Arc::clone(&diary) as Arc<_>).build();
    let (database, health) = (Database::answering(10), Health::new(CancellationToken::new(), events));
    health.opened(Arc::clone(&database) as Arc<dyn FeedStore>);
    for is_down in [false, true, true, false, false] {
        database.down(is_down);
        tokio::time::advance(FRESH).await;
        failures(&health).await;
        tokio::time::advance(FRESH).await;
        failures(&health).await;
    }
    assert_eq!(*diary.0.lock().expect("no panic"), ["health.degraded", "health.restored"]);
}
