//! The suite that every store must pass.
//!
//! An adapter says how a [`Bench`] with a fresh, empty store is made, and gets one test for each of the
//! [`CASES`]:
//!
//! ```
//! use std::sync::Arc;
//!
//! use tasker_store::conformance::{Bench, clock};
//! use tasker_store::memory::MemoryStore;
//!
//! async fn bench() -> Bench {
//!     let clock = clock();
//!     let store = MemoryStore::new(clock.clone());
//!     Bench::new(Arc::new(store), clock, Box::new(()))
//! }
//!
//! tasker_store::conformance_tests!(bench);
//! # fn main() {}
//! ```
//!
//! What must outlive the store, such as a temporary folder, is kept by the bench and dropped last. Time moves
//! only by the bench's clock, which the store must go by.
//!
//! A case is a sentence that is true of every store. It is written in a file of `cases/` and listed in
//! `cases.rs`; a case that is not listed is dead code, which the compiler reports. [`Bench`] has the verbs to
//! write it with, [`graph`](mod@graph) the language for templates. When a case is over, everything that is stored
//! is held against the pure functions of tasker-core.
//!
//! Besides, it runs [`differential`] against the store in memory, [`soak`], and [`stampede`].

mod bench;
mod cases;
pub mod graph;
mod random;
mod script;

pub use bench::{Bench, Hand, LEASE, PATIENCE, assert_lines, clock, lines, worker};
pub use cases::{CASES, run};
pub use random::{differential, differential_seeds, soak, stampede};
pub use script::Failures;
