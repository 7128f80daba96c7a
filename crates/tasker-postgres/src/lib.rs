//! The store on PostgreSQL 13 or newer, for any number of processes.
//!
//! A batch of requests is one message to the server, and so one round trip and one transaction: a few calls
//! of functions that the migrations install ([`migrations/`]). Everything goes by the simple query protocol
//! with literals that this crate writes (module `literal`); nothing is prepared and no session is altered, so that
//! the store works behind a proxy that pools transactions. The one exception is the listener for wake-ups,
//! which is optional.
//!
//! This crate owns all SQL for PostgreSQL: each statement is a file in `queries/`, each change of the schema
//! a file in `migrations/`. It knows no handler and no rule of the engine beyond what the contract in
//! tasker-store says.
//!
//! [`migrations/`]: https://www.postgresql.org/docs/current/plpgsql.html

mod address;
mod options;
mod store;

mod literal;
mod side;
mod statement;

mod database;
mod error;
mod row;

mod migrate;

mod read;
mod template;
mod write;

mod feed;
mod listen;
mod upkeep;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use address::Address;
pub use options::{Listen, PostgresOptions};
pub use store::PostgresStore;
