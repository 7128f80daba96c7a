//! Traces on their way to a collector, by the OpenTelemetry protocol.
//!
//! [`Traces`] has one bounded queue, for three kinds of spans: those of [`tasker_trace::spans`], which are written when
//! a task has ended; those that handlers make while they run, with the macros of `tracing`, inside of
//! [`attempt_span`]; and calls of a database, each a [`DatabaseCall`]. A background task sends them in batches over gRPC
//! or HTTP, and repeats what did not arrive within bounds. Nothing ever waits for it: what is too much is dropped and
//! counted, see [`Report`].
//!
//! The layer of [`Traces::layer`] takes what is inside of an attempt and nothing else. An attempt that is not sampled
//! has no span, so that it costs a comparison.
//!
//! This crate knows no store and reads no environment.

mod convert;
mod courier;
mod database;
mod live;
mod queue;
mod secrets;
mod settings;
mod traces;
mod transport;
mod wire;

#[cfg(feature = "testing")]
pub mod testing;

pub use convert::Written;
pub use database::{DatabaseCall, DatabasePlace};
pub use live::{TARGET, attempt_span, current};
pub use queue::Report;
pub use settings::{OtlpError, Protocol, Secret, Settings};
pub use traces::Traces;
