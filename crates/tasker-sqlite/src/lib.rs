//! The store in one file: all SQLite SQL.
//!
//! [`SqliteStore`] keeps templates, tasks and their history in a SQLite database, for everything that runs on
//! one machine: one process, or a server beside the commands of a person. One connection writes whole batches,
//! each in one transaction and one trip to SQLite's thread; a few others read. What another process commits is
//! noticed without asking.
//!
//! As SQLite is built by default, all connections of a process share one pool of pages and one account of memory, each
//! under one lock, at which a busy store spent five percent of its time. Tasker's workspace builds it without; a program that
//! is built elsewhere sets `LIBSQLITE3_FLAGS="-DSQLITE_DEFAULT_MEMSTATUS=0 -USQLITE_ENABLE_MEMORY_MANAGEMENT"` where it
//! is built.
//!
//! Every statement is a file in `queries`, every change of the schema one in `migrations`. This crate knows no
//! handler, no engine and no network.

mod cache;
mod checkpoint;
mod command;
mod connect;
mod failure;
mod feed;
mod location;
mod migrate;
mod options;
mod read;
mod record;
mod session;
mod side;
mod sql;
mod store;
mod template;
mod upkeep;
mod watch;
mod writer;

pub use location::OpenError;
pub use options::{Durability, SqliteOptions};
pub use store::SqliteStore;
