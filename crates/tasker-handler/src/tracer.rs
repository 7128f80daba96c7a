//! How attempts get into traces.

use tasker_core::LeaseKey;
use tasker_store::Origin;
use tracing::Span;

/// The target of the spans that the built-in handlers make for what they ask of others.
pub const TRACE_TARGET: &str = "tasker::trace";

/// Puts attempts into traces. The runner asks it, so that it knows no format of traces itself.
///
/// ```
/// use tasker_core::LeaseKey;
/// use tasker_handler::Tracer;
/// use tasker_store::Origin;
/// use tracing::Span;
///
/// /// Every attempt is a span in the log.
/// struct Logged;
///
/// impl Tracer for Logged {
///     fn span(&self, attempt: LeaseKey, _: &Origin, handler: &str) -> Span {
///         tracing::info_span!("attempt", %attempt, handler)
///     }
///
///     fn traceparent(&self, _: LeaseKey, _: &Origin) -> Option<String> {
///         None
///     }
/// }
/// ```
pub trait Tracer: Send + Sync {
    /// The span that the handler of an attempt runs in; [`Span::none`] if the attempt is in no trace.
    fn span(&self, attempt: LeaseKey, origin: &Origin, handler: &str) -> Span;

    /// What something that the attempt asks of others now is a part of, as [W3C Trace
    /// Context](https://www.w3.org/TR/trace-context/) writes it: the current span, if it is one of a trace.
    fn traceparent(&self, attempt: LeaseKey, origin: &Origin) -> Option<String>;
}

/// Puts nothing into a trace.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTracer;

impl Tracer for NoTracer {
    fn span(&self, _: LeaseKey, _: &Origin, _: &str) -> Span {
        Span::none()
    }

    fn traceparent(&self, _: LeaseKey, _: &Origin) -> Option<String> {
        None
    }
}
