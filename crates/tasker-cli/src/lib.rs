//! The `tasker` command.
//!
//! [`run`] is the whole command as a function of its arguments and of an [`Outside`], so that it can be tried without a
//! process. Each command is one file under `command`; what they have in common lies beside it, in three groups: what is
//! read from the command line, how a task is run here to its end, and how things are told.
//!
//! This crate knows no SQL and no HTTP, and decides nothing about tasks: it asks the engine.

#![expect(
    clippy::doc_markdown,
    reason = "the docs of commands are their help, where backticks would be noise"
)]

mod args;
mod command;
mod desk;
mod ending;
mod outside;
mod program;

mod context;
mod ids;
mod numbers;
mod request;
mod template_file;

mod board;
mod drive;
mod embedded;
mod halted;
mod interrupts;
mod progress;
mod remembered;
mod standstill;
mod verdict;

mod advice;
mod drawing;
mod explanation;
mod paint;
mod spans;
mod table;
mod terminal;
mod tree;
mod words;

#[cfg(test)]
mod trial;

pub use outside::Outside;
pub use program::run;
pub use terminal::Stream;
