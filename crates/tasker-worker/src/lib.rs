//! tasker-worker: runs steps with the built-in handlers, and the bound ones, on a database that others share.
//!
//! The binary is [`main`]; [`Worker`] is the same as a library, so that a program of your own can offer handlers that are
//! written in Rust. This crate decides nothing: it reads arguments, connects, runs and shuts down.

mod command;
mod ready;
mod worker;

pub use command::main;
pub use ready::Ready;
pub use worker::{Worker, run};
