//! Spans that are made while a handler runs.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span as SdkSpan, SpanData, SpanProcessor};
use tasker_trace::{Sampled, SpanId, TraceContext, TraceId};
use tracing::{Level, Metadata, Span, Subscriber, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{DynFilterFn, LevelFilter};
use tracing_subscriber::layer::Context as LayerContext;
use tracing_subscriber::registry::LookupSpan;

use crate::convert::span_context;
use crate::queue::{Queue, Waiting};
use crate::secrets;

/// The target of the spans that Tasker itself makes in an attempt.
pub const TARGET: &str = "tasker::trace";

/// The span in which the handler of an attempt runs: `tasker.work`, under the handler's span of the record, from which
/// `context` is. Without a sampled trace there is none, and entering it does nothing.
///
/// ```
/// # use tasker_core::{LeaseKey, TaskId, Timestamp};
/// # use tasker_trace::{Sampled, SpanId, TraceContext, TraceId};
/// # let task = TaskId::new(Timestamp::from_micros(0), 1 << 20);
/// let key = LeaseKey { step: task.step(0), attempt: 1 };
/// let context = TraceContext::for_attempt(key, Sampled::No);
/// assert!(tasker_otlp::attempt_span(&context, "charge").is_none());
/// ```
pub fn attempt_span(context: &TraceContext, handler: &str) -> Span {
    if context.sampled == Sampled::No {
        return Span::none();
    }
    let span = info_span!(target: TARGET, parent: None, "tasker.work", tasker.handler = handler);
    // Where no layer takes spans there is none to have a parent.
    let _ = span.set_parent(Context::new().with_remote_span_context(span_context(context)));
    span
}

/// The place of the innermost span at hand, to be sent on; `None` outside of a sampled attempt.
pub fn current() -> Option<TraceContext> {
    let context = Span::current().context();
    let span = context.span();
    let here = span.span_context();
    if !here.is_sampled() {
        return None;
    }
    let trace = TraceId::from_u128(u128::from_be_bytes(here.trace_id().to_bytes()))?;
    let span = SpanId::from_u64(u64::from_be_bytes(here.span_id().to_bytes()))?;
    Some(TraceContext { trace, span, sampled: Sampled::Yes })
}

/// Puts spans into the queue when they end.
#[derive(Debug)]
pub(crate) struct LiveSpans(Arc<Queue>);

impl LiveSpans {
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self(queue)
    }
}

impl SpanProcessor for LiveSpans {
    fn on_start(&self, _span: &mut SdkSpan, _cx: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if span.span_context.is_sampled() {
            secrets::mask(&mut span);
            self.0.offer(std::iter::once(Waiting::Live(Box::new(span))));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Lets through what belongs to an attempt: its own span, and what is inside of that.
pub(crate) fn gate<S>() -> Gate<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    DynFilterFn::new(is_of_attempt as IsOpen<S>).with_max_level_hint(LevelFilter::INFO)
}

/// What decides about a span or an event.
type IsOpen<S> = fn(&Metadata<'_>, &LayerContext<'_, S>) -> bool;

/// The filter of the layer.
type Gate<S> = DynFilterFn<S, IsOpen<S>>;

fn is_of_attempt<S>(metadata: &Metadata<'_>, cx: &LayerContext<'_, S>) -> bool
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let is_root = || metadata.is_span() && metadata.target() == TARGET;
    // Of the spans at hand this sees those that were let through.
    *metadata.level() <= Level::INFO && (is_root() || cx.lookup_current().is_some())
}
