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
