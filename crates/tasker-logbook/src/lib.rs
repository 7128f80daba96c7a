//! Keeps in the store what attempts log.
//!
//! [`KeptLog`] stands between a runner and whatever else takes its lines: it hands each on at once, and writes them to
//! the store soon after, many at a time. It never keeps a handler waiting; what a store that is away cannot take is
//! dropped and counted.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use tasker_core::SystemClock;
//! use tasker_handler::NoLog;
//! use tasker_handler::testing::TestStep;
//! use tasker_logbook::KeptLog;
//! use tasker_store::memory::MemoryStore;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
//! let log = KeptLog::start(store, Arc::new(NoLog));
//! // A runner is told `.log_to(Arc::new(log.clone()))`; in a test, a step is.
//! TestStep::new().log_to(log.clone()).build().log("shipping");
//! let dropped = log.close(Duration::from_secs(5)).await;
//! assert_eq!(dropped, 0);
//! # });
//! ```
//!
//! This crate knows no database and nothing of how lines are shown.

mod kept_log;

pub use kept_log::KeptLog;
