//! How a step is run: the handler trait, the registry, the runner, and the built-in handlers.
//!
#![doc = include_str!("guide.md")]

mod bindings;
mod builtin;
mod config;
mod context;
mod error;
mod handler;
mod registry;
mod runner;
mod secrets;
mod surroundings;
mod templating;
pub mod testing;
mod tracer;
mod typed;

pub use bindings::{BindingError, Bindings};
pub use builtin::{CommandHandler, HttpHandler, NoopStep, TransformHandler, WaitHandler};
pub use context::{LOG_LIMIT_BYTES, LogSink, NoLog, StepContext};
pub use error::HandlerError;
pub use handler::{InputNeed, Placement, StepHandler};
pub use registry::{RegisterError, Registry};
pub use runner::{Counters, Runner, RunnerReport, RunnerSettings};
pub use surroundings::Surroundings;
pub use tracer::{NoTracer, StoreCall, StorePurpose, TRACE_TARGET, Tracer};
pub use typed::{Registration, Typed, TypedHandler, handler_fn};
