//! From our spans, and those of the SDK, to a request of OpenTelemetry.
//!
//! They are written straight into the message that goes over the wire: the types that are generated from its definition
//! own each name and each value, and making, sizing and freeing them took more than twice as long. The numbers of the fields
//! are those of [`trace.proto`][definition].
//!
//! [definition]: https://github.com/open-telemetry/opentelemetry-proto/blob/v1.7.0/opentelemetry/proto/trace/v1/trace.proto

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{SpanFlags, span};
use opentelemetry_sdk::trace::SpanData;
use prost::bytes::Bytes;
use tasker_core::Timestamp;
use tasker_trace::{Kind, Sampled, Span, SpanId, TraceContext, TraceId, attributes};

use crate::queue::Waiting;
use crate::wire::Message;

/// More events, or links, a span does not have, so that one span cannot make a batch too large for the collector: the
/// usual limit of OpenTelemetry.
const MOST: usize = 128;
/// What most spans take.
const BYTES: usize = 640;

/// What all requests of a process have in common.
#[derive(Debug)]
pub(crate) struct Envelope {
    resource: Message,
    scope: Message,
}

impl Envelope {
    pub(crate) fn new(facts: &[(String, String)]) -> Self {
        let (mut resource, mut scope) = (Message::default(), Message::default());
        resource.part(1, |resource| {
            for (key, value) in facts {
                attribute(resource, 1, key, |any| any.text(1, value));
            }
        });
        let name = self::scope();
        scope.part(1, |scope| {
            scope.text(1, name.name());
            scope.text(2, name.version().unwrap_or_default());
        });
        Self { resource, scope }
    }

    /// A batch as a request. All its spans are of one scope, that of the tracer.
    pub(crate) fn request(&self, batch: &[Waiting]) -> Bytes {
        let mut request = Message::with_capacity(batch.iter().map(size).sum());
        request.part(1, |of_resource| {
            of_resource.fields(&self.resource);
            of_resource.part(2, |of_scope| {
                of_scope.fields(&self.scope);
                for waiting in batch {
                    match waiting {
                        Waiting::Recorded(span) => of_scope.bytes(2, span),
                        Waiting::Live(span) => of_scope.part(2, |message| live(message, span)),
                        Waiting::Call(call) => of_scope.part(2, |message| call.write(message)),
                    }
                }
            });
        });
        request.into_bytes().into()
    }
}

/// Spans as they are sent, made where there is time for it.
#[derive(Debug, Default)]
pub struct Written(pub(crate) Vec<Bytes>);

impl Written {
    /// Writes the spans of a trace.
    pub fn of(spans: &[Span<'_>]) -> Self {
        let mut message = Message::with_capacity(spans.len() * BYTES);
        let parts = spans.iter().map(|span| {
            let start = message.len();
            recorded(&mut message, span);
            start..message.len()
        });
        let parts: Vec<_> = parts.collect();
        let all = Bytes::from(message.into_bytes());
        Self(parts.into_iter().map(|part| all.slice(part)).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How much a span takes in a request, or a little more.
fn size(waiting: &Waiting) -> usize {
    match waiting {
        // With the number of the field and the length.
        Waiting::Recorded(span) => span.len() + 8,
        Waiting::Live(_) | Waiting::Call(_) => BYTES,
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
    let trace = opentelemetry::trace::TraceId::from(context.trace.as_u128());
    let span = opentelemetry::trace::SpanId::from(context.span.as_u64());
    SpanContext::new(trace, span, flags, true, TraceState::default())
}

/// A span from the record.
fn recorded(message: &mut Message, span: &Span<'_>) {
    message.bytes(1, &trace_id(span.trace));
    message.bytes(2, &span_id(span.id));
    if let Some(parent) = span.parent {
        message.bytes(4, &span_id(parent));
    }
    message.text(5, &span.name);
    message.number(
        6,
        match span.kind {
            Kind::Internal => kind(&SpanKind::Internal),
            Kind::Consumer => kind(&SpanKind::Consumer),
        },
    );
    message.fixed64(7, nanos(span.start));
    message.fixed64(8, nanos(span.end));
    all(message, 9, &span.attributes);
    if let Some(error) = &span.error {
        attribute(message, 9, attributes::ERROR_TYPE, |any| any.text(1, &error.kind));
    }
    for event in span.events.iter().take(MOST) {
        message.part(11, |message| {
            message.fixed64(1, nanos(event.at));
            message.text(2, event.name);
            all(message, 3, &event.attributes);
        });
    }
    dropped(message, 12, beyond(span.events.len()));
    for link in span.links.iter().take(MOST) {
        message.part(13, |message| {
            message.bytes(1, &trace_id(link.trace));
            message.bytes(2, &span_id(link.span));
            attribute(message, 4, attributes::LINK_TYPE, |any| any.text(1, link.kind));
            message.fixed32(6, flags(TraceFlags::SAMPLED, link.trace != span.trace));
        });
    }
    dropped(message, 14, beyond(span.links.len()));
    match &span.error {
        Some(error) => status(message, StatusCode::Error, &error.message),
        None => status(message, StatusCode::Unset, ""),
    }
    message.fixed32(16, flags(TraceFlags::SAMPLED, false));
}

/// A span that was made while a handler ran.
fn live(message: &mut Message, span: &SpanData) {
    place(message, &span.span_context);
    if span.parent_span_id != opentelemetry::trace::SpanId::INVALID {
        message.bytes(4, &span.parent_span_id.to_bytes());
    }
    message.text(5, &span.name);
    message.number(6, kind(&span.span_kind));
    message.fixed64(7, nanos_of(span.start_time));
    message.fixed64(8, nanos_of(span.end_time));
    all_of(message, 9, &span.attributes);
    dropped(message, 10, span.dropped_attributes_count);
    for event in &span.events.events {
        message.part(11, |message| {
            message.fixed64(1, nanos_of(event.timestamp));
            message.text(2, &event.name);
            all_of(message, 3, &event.attributes);
            dropped(message, 4, event.dropped_attributes_count);
        });
    }
    dropped(message, 12, span.events.dropped_count);
    for link in &span.links.links {
        message.part(13, |message| {
            place(message, &link.span_context);
            all_of(message, 4, &link.attributes);
            dropped(message, 5, link.dropped_attributes_count);
            let flags = flags(link.span_context.trace_flags(), link.span_context.is_remote());
            message.fixed32(6, flags);
        });
    }
    dropped(message, 14, span.links.dropped_count);
    match &span.status {
        Status::Error { description } => status(message, StatusCode::Error, description),
        Status::Ok => status(message, StatusCode::Ok, ""),
        Status::Unset => status(message, StatusCode::Unset, ""),
    }
    message.fixed32(16, flags(span.span_context.trace_flags(), span.parent_span_is_remote));
}

/// The first three fields of a span and of a link.
fn place(message: &mut Message, context: &SpanContext) {
    message.bytes(1, &context.trace_id().to_bytes());
    message.bytes(2, &context.span_id().to_bytes());
    let state = context.trace_state().header();
    if !state.is_empty() {
        message.text(3, &state);
    }
}

/// How a span ended; only of an error there is something to say.
pub(crate) fn status(message: &mut Message, code: StatusCode, words: &str) {
    message.part(15, |message| {
        message.text(2, words);
        message.number(3, code as u64);
    });
}

pub(crate) fn kind(kind: &SpanKind) -> u64 {
    (match kind {
        SpanKind::Internal => span::SpanKind::Internal,
        SpanKind::Server => span::SpanKind::Server,
        SpanKind::Client => span::SpanKind::Client,
        SpanKind::Producer => span::SpanKind::Producer,
        SpanKind::Consumer => span::SpanKind::Consumer,
    }) as u64
}

/// Those of a trace, and whether what is meant is in another process or trace.
pub(crate) fn flags(of: TraceFlags, is_remote: bool) -> u32 {
    let known = u32::from(of.to_u8()) | SpanFlags::ContextHasIsRemoteMask as u32;
    if is_remote { known | SpanFlags::ContextIsRemoteMask as u32 } else { known }
}

fn trace_id(id: TraceId) -> [u8; 16] {
    id.as_u128().to_be_bytes()
}

fn span_id(id: SpanId) -> [u8; 8] {
    id.as_u64().to_be_bytes()
}

fn beyond(count: usize) -> u32 {
    u32::try_from(count.saturating_sub(MOST)).unwrap_or(u32::MAX)
}

fn dropped(message: &mut Message, field: u32, count: u32) {
    if count > 0 {
        message.number(field, count.into());
    }
}

fn all(message: &mut Message, field: u32, attributes: &[tasker_trace::Attribute<'_>]) {
    use tasker_trace::Value;
    for (key, value) in attributes {
        attribute(message, field, key, |any| match value {
            Value::Text(words) => any.text(1, words),
            Value::Truth(truth) => any.number(2, (*truth).into()),
            Value::Number(number) => any.number(3, number.cast_unsigned()),
            Value::Task(task) => any.shown(1, task),
            Value::Step(step) => any.shown(1, step),
            Value::Texts(texts) => array(any, texts, |any, words| any.text(1, words)),
        });
    }
}

fn all_of(message: &mut Message, field: u32, attributes: &[KeyValue]) {
    use opentelemetry::Value;
    for KeyValue { key, value, .. } in attributes {
        attribute(message, field, key.as_str(), |any| match value {
            Value::String(words) => any.text(1, words.as_str()),
            Value::Bool(truth) => any.number(2, (*truth).into()),
            Value::I64(number) => any.number(3, number.cast_unsigned()),
            Value::F64(number) => any.fixed64(4, number.to_bits()),
            Value::Array(Array::String(texts)) => array(any, texts, |any, words| any.text(1, words.as_str())),
            Value::Array(Array::Bool(truths)) => {
                array(any, truths, |any, truth| any.number(2, (*truth).into()));
            }
            Value::Array(Array::I64(numbers)) => {
                array(any, numbers, |any, number| any.number(3, number.cast_unsigned()));
            }
            Value::Array(Array::F64(numbers)) => {
                array(any, numbers, |any, number| any.fixed64(4, number.to_bits()));
            }
            other => any.text(1, &other.to_string()),
        });
    }
}

/// A fact, whose value is a message of one field.
pub(crate) fn attribute(message: &mut Message, field: u32, key: &str, value: impl FnOnce(&mut Message)) {
    message.part(field, |fact| {
        fact.text(1, key);
        fact.part(2, value);
    });
}

fn array<T>(any: &mut Message, values: &[T], write: impl Fn(&mut Message, &T)) {
    any.part(5, |array| values.iter().for_each(|value| array.part(1, |any| write(any, value))));
}

/// Before 1970 there were no spans.
pub(crate) fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(0).saturating_mul(1_000)
}

fn nanos_of(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
