//! From our spans to those of OpenTelemetry.

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{self as proto, ScopeSpans, SpanFlags, Status};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
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
        let facts =
            resource.iter().map(|(key, value)| opentelemetry::KeyValue::new(key.clone(), value.clone()));
        let resource = opentelemetry_sdk::Resource::builder_empty().with_attributes(facts).build();
        Self { resource: (&resource).into(), scope: scope() }
    }

    /// A batch as a request.
    pub(crate) fn request(&self, batch: Vec<Waiting>) -> ExportTraceServiceRequest {
        let (mut told, mut live) = (Vec::with_capacity(batch.len()), Vec::new());
        for waiting in batch {
            match waiting {
                Waiting::Recorded(span) => told.push(recorded(span)),
                Waiting::Live(span) => live.push(span),
            }
        }
        let mut resource_spans = group_spans_by_resource_and_scope(live, &self.resource);
        for all in &mut resource_spans {
            // All spans are of one scope, that of the tracer.
            match all.scope_spans.first_mut() {
                Some(same) => same.spans.append(&mut told),
                None => all.scope_spans.push(ScopeSpans {
                    scope: Some((&self.scope, None).into()),
                    spans: std::mem::take(&mut told),
                    schema_url: String::new(),
                }),
            }
        }
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
    let (trace, span) = (TraceId::from(context.trace.as_u128()), SpanId::from(context.span.as_u64()));
    SpanContext::new(trace, span, flags, true, TraceState::default())
}

/// A span of ours. It is written out as it goes over the wire: by way of the types of the SDK it would cost twice as much.
fn recorded(span: Span) -> proto::Span {
    let mut facts: Vec<KeyValue> = span.attributes.into_iter().map(key_value).collect();
    let (code, message) = match span.error {
        Some(error) => {
            facts.push(key_value((attributes::ERROR_TYPE, error.kind.into())));
            (StatusCode::Error, error.message)
        }
        None => (StatusCode::Unset, String::new()),
    };
    let kind = match span.kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Consumer => SpanKind::Consumer,
    };
    proto::Span {
        trace_id: trace_id(span.trace),
        span_id: span_id(span.id),
        trace_state: String::new(),
        parent_span_id: span.parent.map(span_id).unwrap_or_default(),
        flags: flags(Place::Here),
        name: span.name.into_owned(),
        kind: kind.into(),
        start_time_unix_nano: nanos(span.start),
        end_time_unix_nano: nanos(span.end),
        attributes: facts,
        dropped_attributes_count: 0,
        dropped_events_count: beyond(span.events.len()),
        events: span.events.into_iter().take(MOST).map(event).collect(),
        dropped_links_count: beyond(span.links.len()),
        links: span.links.into_iter().take(MOST).map(|link| self::link(link, span.trace)).collect(),
        status: Some(Status { code: code.into(), message }),
    }
}

/// Whether a span is of the trace at hand.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Here,
    Elsewhere,
}

/// All that is written is sampled.
fn flags(place: Place) -> u32 {
    let sampled = u32::from(TraceFlags::SAMPLED.to_u8()) | SpanFlags::ContextHasIsRemoteMask as u32;
    match place {
        Place::Here => sampled,
        Place::Elsewhere => sampled | SpanFlags::ContextIsRemoteMask as u32,
    }
}

fn trace_id(id: tasker_trace::TraceId) -> Vec<u8> {
    id.as_u128().to_be_bytes().to_vec()
}

fn span_id(id: tasker_trace::SpanId) -> Vec<u8> {
    id.as_u64().to_be_bytes().to_vec()
}

fn beyond(count: usize) -> u32 {
    u32::try_from(count.saturating_sub(MOST)).unwrap_or(u32::MAX)
}

fn event(event: tasker_trace::Event) -> proto::span::Event {
    proto::span::Event {
        time_unix_nano: nanos(event.at),
        name: event.name.into(),
        attributes: event.attributes.into_iter().map(key_value).collect(),
        dropped_attributes_count: 0,
    }
}

fn link(link: tasker_trace::Link, own: tasker_trace::TraceId) -> proto::span::Link {
    proto::span::Link {
        trace_id: trace_id(link.trace),
        span_id: span_id(link.span),
        trace_state: String::new(),
        attributes: link.attributes.into_iter().map(key_value).collect(),
        dropped_attributes_count: 0,
        flags: flags(if link.trace == own { Place::Here } else { Place::Elsewhere }),
    }
}

fn key_value((key, value): tasker_trace::Attribute) -> KeyValue {
    let text = |text: String| any_value::Value::StringValue(text);
    let value = match value {
        tasker_trace::Value::Text(words) => text(words.into_owned()),
        tasker_trace::Value::Texts(texts) => {
            let values = texts.into_iter().map(|words| AnyValue { value: Some(text(words)) }).collect();
            any_value::Value::ArrayValue(ArrayValue { values })
        }
        tasker_trace::Value::Number(number) => any_value::Value::IntValue(number),
        tasker_trace::Value::Truth(truth) => any_value::Value::BoolValue(truth),
    };
    KeyValue { key: key.to_owned(), key_strindex: 0, value: Some(AnyValue { value: Some(value) }) }
}

/// Before 1970 there were no spans.
fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(0).saturating_mul(1_000)
}
