//! How attempts get into traces.

use tasker_core::LeaseKey;
use tasker_store::{Origin, StoreError};
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

    /// The span of a call to the store that an attempt has a part in, together with `others`; [`Span::none`] if the
    /// attempt is in no trace, or such calls are not told. It ends when it is dropped.
    fn store_span(&self, attempt: LeaseKey, call: StoreCall, others: usize) -> Span {
        let _ = (attempt, call, others);
        Span::none()
    }
}

/// What a worker asks the store for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreCall {
    /// To read what the handler gets.
    Inputs,
    /// To record how the attempt ended.
    Settle,
}

/// The spans of a call that many attempts have a part in.
pub(crate) struct StoreSpans(Vec<Span>);

impl StoreSpans {
    pub(crate) fn begin(
        tracer: &dyn Tracer,
        call: StoreCall,
        attempts: impl ExactSizeIterator<Item = LeaseKey>,
    ) -> Self {
        let others = attempts.len().saturating_sub(1);
        let spans = attempts.map(|attempt| tracer.store_span(attempt, call, others));
        Self(spans.filter(|span| !span.is_none()).collect())
    }

    /// The store has answered.
    pub(crate) fn end<T>(self, answer: &Result<T, StoreError>) {
        let Err(error) = answer else { return };
        for span in self.0 {
            span.record("error.type", error.kind());
            span.record("otel.status_code", "ERROR");
        }
    }
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
