//! How attempts get into traces.

use std::sync::Arc;
use std::time::Duration;

use tasker_core::LeaseKey;
use tasker_store::{Origin, StoreError};
use tokio::time::Instant;
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

    /// Whether calls to the store are told of this attempt.
    fn tells_of_calls(&self, attempt: LeaseKey) -> bool {
        let _ = attempt;
        false
    }

    /// The store has answered a call, just now.
    fn called(&self, call: &StoreCall<'_>) {
        let _ = call;
    }
}

/// A call to the store that attempts had a part in.
#[derive(Debug)]
pub struct StoreCall<'a> {
    /// What it was for.
    pub purpose: StorePurpose,
    /// Those of the attempts that are told of.
    pub attempts: &'a [LeaseKey],
    /// How many had a part in it, with those that are not told of.
    pub batch: usize,
    /// How long it took.
    pub took: Duration,
    /// What went wrong, if something did.
    pub error: Option<&'a StoreError>,
}

/// What a worker asks the store for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorePurpose {
    /// To read what the handler gets.
    Inputs,
    /// To record how the attempt ended.
    Settle,
}

/// A call that is under way.
pub(crate) struct Calling {
    tracer: Arc<dyn Tracer>,
    purpose: StorePurpose,
    attempts: Vec<LeaseKey>,
    batch: usize,
    sent: Instant,
}

impl Calling {
    pub(crate) fn begin(
        tracer: &Arc<dyn Tracer>,
        purpose: StorePurpose,
        attempts: impl ExactSizeIterator<Item = LeaseKey>,
    ) -> Self {
        let batch = attempts.len();
        let attempts = attempts.filter(|attempt| tracer.tells_of_calls(*attempt)).collect();
        Self { tracer: Arc::clone(tracer), purpose, attempts, batch, sent: Instant::now() }
    }

    /// The store has answered.
    pub(crate) fn end<T>(self, answer: &Result<T, StoreError>) {
        let Self { tracer, purpose, attempts, batch, sent } = self;
        if !attempts.is_empty() {
            let (attempts, error) = (attempts.as_slice(), answer.as_ref().err());
            tracer.called(&StoreCall { purpose, attempts, batch, took: sent.elapsed(), error });
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
