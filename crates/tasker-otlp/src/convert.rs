//! From our spans to those of OpenTelemetry.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use tasker_core::Timestamp;
use tasker_trace::{Kind, Sampled, Span, TraceContext, attributes};

use crate::queue::Waiting;

/// More events, or links, a span does not have, so that one span cannot make a batch too large for the collector: the
/// usual limit of OpenTelemetry.
const MOST: usize = 128;

/// What all requests of a process have in common.
#[derive(Debug)]
pub(crate) struct Envelope {
    resource: ResourceAttributesWithSchema,
    scope: InstrumentationScope,
}

impl Envelope {
    pub(crate) fn new(resource: &[(String, String)]) -> Self {
        let resource = resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let resource = Resource::builder_empty().with_attributes(resource).build();
        Self { resource: (&resource).into(), scope: scope() }
    }

    /// A batch as a request.
    pub(crate) fn request(&self, batch: Vec<Waiting>) -> ExportTraceServiceRequest {
        let spans = batch.into_iter().map(|waiting| match waiting {
            Waiting::Recorded(span) => recorded(span, &self.scope),
            Waiting::Live(span) => span,
        });
        let resource_spans = group_spans_by_resource_and_scope(spans.collect(), &self.resource);
        ExportTraceServiceRequest { resource_spans }
    }
}

/// Who makes the spans.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("tasker").with_version(env!("CARGO_PKG_VERSION")).build()
}

/// The place of a span as OpenTelemetry has it.
pub(crate) fn span_context(context: &TraceContext) -> SpanContext {
    let flags = match context.sampled {
        Sampled::Yes => TraceFlags::SAMPLED,
        Sampled::No => TraceFlags::default(),
    };
    of(context.trace, context.span, flags, Origin::Elsewhere)
}

/// Whether a span is of the trace at hand.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Here,
    Elsewhere,
}

fn of(
    trace: tasker_trace::TraceId,
    span: tasker_trace::SpanId,
    flags: TraceFlags,
    origin: Origin,
) -> SpanContext {
    let (trace, span) = (TraceId::from(trace.as_u128()), SpanId::from(span.as_u64()));
    SpanContext::new(trace, span, flags, origin == Origin::Elsewhere, TraceState::default())
}

fn recorded(span: Span, scope: &InstrumentationScope) -> SpanData {
    let mut facts: Vec<KeyValue> = span.attributes.into_iter().map(key_value).collect();
    let status = match span.error {
        Some(error) => {
            facts.push(KeyValue::new(attributes::ERROR_TYPE, error.kind));
            Status::error(error.message)
        }
        None => Status::Unset,
    };
    SpanData {
        span_context: of(span.trace, span.id, TraceFlags::SAMPLED, Origin::Here),
        parent_span_id: span.parent.map_or(SpanId::INVALID, |parent| SpanId::from(parent.as_u64())),
        parent_span_is_remote: false,
        span_kind: match span.kind {
            Kind::Internal => SpanKind::Internal,
            Kind::Consumer => SpanKind::Consumer,
        },
        name: span.name,
        start_time: time(span.start),
        end_time: time(span.end),
        attributes: facts,
        dropped_attributes_count: 0,
        events: events(span.events),
        links: links(span.links, span.trace),
        status,
        instrumentation_scope: scope.clone(),
    }
}

fn events(all: Vec<tasker_trace::Event>) -> SpanEvents {
    let mut events = SpanEvents::default();
    events.dropped_count = beyond(all.len());
    events.events = all.into_iter().take(MOST).map(event).collect();
    events
}

fn links(all: Vec<tasker_trace::Link>, own: tasker_trace::TraceId) -> SpanLinks {
    let mut links = SpanLinks::default();
    links.dropped_count = beyond(all.len());
    links.links = all.into_iter().take(MOST).map(|link| self::link(link, own)).collect();
    links
}

fn beyond(count: usize) -> u32 {
    u32::try_from(count.saturating_sub(MOST)).unwrap_or(u32::MAX)
}

fn event(event: tasker_trace::Event) -> Event {
    let facts = event.attributes.into_iter().map(key_value).collect();
    Event::new(event.name, time(event.at), facts, 0)
}

fn link(link: tasker_trace::Link, own: tasker_trace::TraceId) -> Link {
    let origin = if link.trace == own { Origin::Here } else { Origin::Elsewhere };
    let facts = link.attributes.into_iter().map(key_value).collect();
    Link::new(of(link.trace, link.span, TraceFlags::SAMPLED, origin), facts, 0)
}

fn key_value((key, value): tasker_trace::Attribute) -> KeyValue {
    let value = match value {
        tasker_trace::Value::Text(Cow::Borrowed(text)) => Value::String(text.into()),
        tasker_trace::Value::Text(Cow::Owned(text)) => Value::String(text.into()),
        tasker_trace::Value::Texts(texts) => {
            Value::Array(Array::String(texts.into_iter().map(StringValue::from).collect()))
        }
        tasker_trace::Value::Number(number) => Value::I64(number),
        tasker_trace::Value::Truth(truth) => Value::Bool(truth),
    };
    KeyValue::new(key, value)
}

/// Before 1970 there were no spans.
fn time(time: Timestamp) -> SystemTime {
    let since_epoch = Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(0));
    SystemTime::UNIX_EPOCH.checked_add(since_epoch).unwrap_or(SystemTime::UNIX_EPOCH)
}
