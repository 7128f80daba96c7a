use std::borrow::Cow;
use std::time::Duration;

use opentelemetry::trace::{Event, Link};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
use prost::Message as _;

use super::*;

fn facts() -> Vec<(String, String)> {
    [("service.name", "tasker-worker"), ("service.version", "")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
}

fn decoded(batch: &[Waiting]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(Envelope::new(&facts()).request(batch)).expect("a request")
}

fn context(span: u64, is_remote: bool, state: &[(&str, &str)]) -> SpanContext {
    let state = TraceState::from_key_value(state.iter().copied()).expect("a state");
    let trace = opentelemetry::trace::TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    SpanContext::new(trace, span.into(), TraceFlags::SAMPLED, is_remote, state)
}

/// Spans with every field, every kind, every status and every type of value.
fn spans() -> Vec<SpanData> {
    let values = || {
        vec![
            KeyValue::new("text", "quoted \" and\nbroken, ünd täglich"),
            KeyValue::new("empty", ""),
            KeyValue::new("long", "x".repeat(20_000)),
            KeyValue::new("truth", true),
            KeyValue::new("falsehood", false),
            KeyValue::new("least", i64::MIN),
            KeyValue::new("nought", 0),
            KeyValue::new("part", -0.25),
            KeyValue::new("texts", opentelemetry::Value::Array(Array::String(vec!["a".into(), "".into()]))),
            KeyValue::new("truths", opentelemetry::Value::Array(vec![true, false].into())),
            KeyValue::new("numbers", opentelemetry::Value::Array(vec![0_i64, -1, i64::MAX].into())),
            KeyValue::new("parts", opentelemetry::Value::Array(vec![0.0, f64::MAX].into())),
        ]
    };
    let at = |millis| UNIX_EPOCH + Duration::from_millis(1_790_000_000_000 + millis);
    let kinds =
        [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
    let statuses = [Status::Unset, Status::Ok, Status::error("it broke"), Status::error(""), Status::Unset];
    let span = |(number, (span_kind, status)): (u64, (SpanKind, Status))| {
        let (mut events, mut links) = (SpanEvents::default(), SpanLinks::default());
        if number > 0 {
            events.events = vec![Event::new("answered", at(3), values(), 4), Event::with_name("empty")];
            events.dropped_count = 5;
            links.links = vec![
                Link::new(context(77, true, &[("vendor", "x")]), values(), 6),
                Link::with_context(context(78, false, &[])),
            ];
            links.dropped_count = 7;
        }
        SpanData {
            span_context: context(number + 1, false, &[("a", "1"), ("b", "2")][..number.min(2) as usize]),
            parent_span_id: number.into(),
            parent_span_is_remote: number % 2 == 1,
            span_kind,
            name: Cow::Owned(format!("GET {number}")),
            start_time: at(1),
            end_time: at(2 + number),
            attributes: if number > 0 { values() } else { Vec::new() },
            dropped_attributes_count: u32::try_from(number).expect("few"),
            events,
            links,
            status,
            instrumentation_scope: scope(),
        }
    };
    (0..).zip(kinds.into_iter().zip(statuses)).map(span).collect()
}

#[test]
fn spans_of_the_sdk_are_written_as_it_would_itself() {
    let resource = facts().into_iter().map(|(key, value)| KeyValue::new(key, value));
    let resource = opentelemetry_sdk::Resource::builder_empty().with_attributes(resource).build();
    let resource = ResourceAttributesWithSchema::from(&resource);
    for span in spans() {
        let mut expected = group_spans_by_resource_and_scope(vec![span.clone()], &resource);
        let mut written = decoded(&[Waiting::Live(Box::new(span))]).resource_spans;
        // It keeps what it knows of itself in a table without order.
        for all in written.iter_mut().chain(&mut expected) {
            let facts = &mut all.resource.as_mut().expect("a resource").attributes;
            facts.sort_by(|one, other| one.key.cmp(&other.key));
        }
        assert_eq!(written, expected);
    }
}

#[test]
fn a_batch_of_nothing_is_a_request_without_spans() {
    assert_eq!(decoded(&[]).resource_spans[0].scope_spans[0].spans.len(), 0);
}

#[test]
fn every_value_of_a_recorded_span_arrives() {
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Arrived;
    use tasker_trace::Value;
    let at = Timestamp::from_micros(1_790_000_000_000_000);
    let span = Span {
        trace: TraceId::from_u128(1).expect("an id"),
        id: SpanId::from_u64(2).expect("an id"),
        parent: None,
        name: "tasker.task".into(),
        kind: Kind::Internal,
        start: Timestamp::from_micros(-1),
        end: at,
        attributes: vec![
            ("text", Value::Text("".into())),
            ("texts", Value::Texts(Cow::Owned(vec!["a".to_owned(), "b".to_owned()]))),
            ("number", Value::Number(-7)),
            ("truth", Value::Truth(false)),
        ],
        events: Vec::new(),
        links: Vec::new(),
        error: None,
    };
    let written = Written::of(&[span]).0.remove(0);
    let arrived = decoded(&[Waiting::Recorded(written)]).resource_spans.remove(0).scope_spans.remove(0);
    let arrived = &arrived.spans[0];
    let value = |place: usize| arrived.attributes[place].value.clone().and_then(|any| any.value);
    assert_eq!(value(0), Some(Arrived::StringValue(String::new())));
    assert!(matches!(value(1), Some(Arrived::ArrayValue(texts)) if texts.values.len() == 2));
    assert_eq!((value(2), value(3)), (Some(Arrived::IntValue(-7)), Some(Arrived::BoolValue(false))));
    assert_eq!((arrived.start_time_unix_nano, arrived.parent_span_id.len(), arrived.flags), (0, 0, 0x101));
}
