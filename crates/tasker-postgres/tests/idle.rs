//! What a store costs that has nothing to do: a worker's beats, and the claims of its poll.

mod support;

use std::time::Duration;

use support::wire::Wire;
use support::{ask, plan, store_at};
use tasker_core::{HandlerName, QueueName, Timestamp, WorkerId};
use tasker_postgres::testing::TestDatabase;
use tasker_store::{UpkeepStore, WorkStore, WorkerRecord};

/// What the runner of handlers does by default.
const BEAT: Duration = Duration::from_secs(10);
const BEATS_BETWEEN_CLAIMS: usize = 6;

fn record() -> WorkerRecord {
    WorkerRecord {
        id: WorkerId::from(uuid::Uuid::from_u128(1)),
        name: "host:1".to_owned(),
        queues: vec![QueueName::default()],
        handlers: vec![HandlerName::new("run").expect("a name")],
        concurrency: 8,
        started_at: Timestamp::from_micros(0),
        seen_at: Timestamp::from_micros(0),
        draining: false,
    }
}

/// Lets time pass for those who only look at the clock.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn beats_keep_the_connection_proven_so_that_nothing_else_is_sent() {
    let database = TestDatabase::create().await;
    let wire = Wire::start(database.url()).await;
    let store = store_at(&wire.url(database.url())).await;
    plan(&store, "a").await;
    store.beat(record()).await.expect("a beat");
    let before = wire.messages();
    for _ in 0..3 {
        for _ in 0..BEATS_BETWEEN_CLAIMS {
            pass(BEAT).await;
            store.beat(record()).await.expect("a beat");
        }
        store.claim(ask(1)).await.expect("a claim");
    }
    assert_eq!(wire.messages() - before, 3 * (BEATS_BETWEEN_CLAIMS + 1));
    pass(2 * BEAT).await;
    store.claim(ask(1)).await.expect("a claim");
    assert_eq!(wire.messages() - before, 3 * (BEATS_BETWEEN_CLAIMS + 1) + 2, "after a silence it is tested");
}
