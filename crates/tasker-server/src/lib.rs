//! tasker-server: agents, health over HTTP and, if asked for, a worker, in one process.
//!
//! The binary is [`main`]; [`Server`] is the same as a library, so that other programs can run it in their own process,
//! with handlers of their own. This crate decides nothing: it reads arguments, connects, runs and shuts down.

mod command;
mod ready;
mod server;

pub use command::main;
pub use ready::Ready;
pub use server::{Server, run};
