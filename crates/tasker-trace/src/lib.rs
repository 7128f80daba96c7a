//! The trace of a task, written from its record.
//!
//! A span is exported when it ends, and a task may take days and outlive every process that works on it. So nothing
//! is kept open: what a task went through stands in its history, and [`spans`] makes the trace of it when it has
//! ended, in any process and any number of times. The ids are not drawn but derived: a [`TraceId`] is the id of the
//! task, a [`SpanId`] follows from what the span is about. Whoever knows the step and the attempt knows the parent of
//! what a handler does, without reading anything: [`TraceContext::for_attempt`].
//!
//! ```text
//! tasker.task default.order@1.0.0
//! └─ tasker.orchestrate                  one for each run: from submission or retry to the verdict
//!    └─ tasker.step charge               in that run, from ready to its end
//!       ├─ tasker.queue                  from ready to claimed
//!       └─ tasker.attempt                from claimed to settled
//!          └─ tasker.handler Charge      the parent of what the handler does while it runs
//! ```
//!
//! [`Sampling`] says which tasks have a trace.
//!
//! This crate knows no OpenTelemetry, no clock and no network.

pub mod attributes;
mod context;
mod id;
mod json;
mod reference;
mod sampling;
mod span;
mod story;
mod write;

pub use context::{InvalidTraceparent, Sampled, TraceContext};
pub use id::{SpanId, Subject, TraceId};
pub use reference::reference;
pub use sampling::{InvalidRatio, Sampling};
pub use span::{Attribute, Event, Kind, Link, Span, SpanError, Value};
pub use story::is_verdict;
pub use write::spans;
