//! What arrives is what was written, over both protocols.

use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1::{Span as Arrived, span::SpanKind, status::StatusCode};
use tasker_otlp::{Protocol, Traces, Written};
use tasker_store::conformance::{Bench, clock};
use tasker_store::memory::MemoryStore;
use tasker_store::{Origin, TaskBrief};
use tasker_trace::{Event, Kind, Span, attributes, spans};

use crate::receiver::{PATIENCE, Receiver, fact};

/// The trace of a task that was retried once, and failed in the end.
pub(crate) async fn trace() -> Vec<Span<'static>> {
    let clock = clock();
    let bench = Bench::new(Arc::new(MemoryStore::new(clock.clone())), clock, Box::new(()));
    let task = bench.submit("shop.orders@1.2.0: a -> b{once}").await;
    let lease = bench.claim(1).await.one();
    bench.advance(2);
    bench.retry_in(lease, 4).await;
    bench.advance(4);
    bench.complete_ready().await;
    let lease = bench.claim(1).await.one();
    bench.fail(lease).await;
    let history = bench.store.history(task).await.expect("a history");
    let traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    let origin = Origin { correlation_id: Some("order-7".to_owned()), traceparent };
    let template = bench.template_of(task).await;
    let task = TaskBrief { origin, ..bench.task(task).await.into() };
    spans(&task, &template, &history).into_iter().map(Span::into_owned).collect()
}

async fn arrives(protocol: Protocol) {
    let mut receiver = Receiver::start(protocol).await;
    let traces = Traces::start(&receiver.settings()).expect("settings");
    let written = trace().await;
    traces.offer(Written::of(&written));
    let received = receiver.next().await;
    assert_eq!(received.authorization.as_deref(), Some("Bearer hunter2"));
    assert_eq!(fact(&received.resource, "service.name").as_deref(), Some("tasker-worker"));
    assert_eq!(received.spans.len(), written.len());
    for (arrived, written) in received.spans.iter().zip(&written) {
        compare(arrived, written);
    }
    let report = traces.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.waiting), (written.len() as u64, 0));
}

fn compare(arrived: &Arrived, written: &Span<'_>) {
    let nanos = |time: tasker_core::Timestamp| u64::try_from(time.as_micros()).expect("after 1970") * 1_000;
    assert_eq!(arrived.trace_id, written.trace.as_u128().to_be_bytes());
    assert_eq!(arrived.span_id, written.id.as_u64().to_be_bytes());
    let parent = written.parent.map_or(Vec::new(), |parent| parent.as_u64().to_be_bytes().to_vec());
    assert_eq!(arrived.parent_span_id, parent);
    assert_eq!(arrived.name, written.name);
    assert_eq!(arrived.start_time_unix_nano, nanos(written.start));
    assert_eq!(arrived.end_time_unix_nano, nanos(written.end));
    let kind = match written.kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Consumer => SpanKind::Consumer,
    };
    assert_eq!(arrived.kind(), kind);
    let keys = arrived.attributes.iter().map(|fact| fact.key.as_str());
    let keys: Vec<_> = keys.filter(|key| *key != attributes::ERROR_TYPE).collect();
    assert_eq!(keys, written.attributes.iter().map(|(key, _)| *key).collect::<Vec<_>>());
    assert_eq!(arrived.events.len(), written.events.len());
    for (arrived, written) in arrived.events.iter().zip(&written.events) {
        assert_eq!((arrived.name.as_str(), arrived.time_unix_nano), (written.name, nanos(written.at)));
    }
    let links: Vec<_> =
        arrived.links.iter().map(|link| (link.trace_id.clone(), link.span_id.clone())).collect();
    let expected = written
        .links
        .iter()
        .map(|link| (link.trace.as_u128().to_be_bytes().to_vec(), link.span.as_u64().to_be_bytes().to_vec()));
    assert_eq!(links, expected.collect::<Vec<_>>());
    let status = arrived.status.clone().unwrap_or_default();
    let error = written.error.as_ref();
    assert_eq!(status.code() == StatusCode::Error, error.is_some());
    assert_eq!(status.message, error.map_or("", |error| &*error.message));
    assert_eq!(fact(&arrived.attributes, attributes::ERROR_TYPE), error.map(|error| error.kind.to_string()));
}

#[tokio::test]
async fn a_trace_arrives_over_grpc_as_it_was_written() {
    arrives(Protocol::Grpc).await;
}

#[tokio::test]
async fn a_trace_arrives_over_http_as_it_was_written() {
    arrives(Protocol::HttpProtobuf).await;
}

#[tokio::test]
async fn a_span_with_very_many_links_has_the_first_and_the_number_of_the_others() {
    let mut receiver = Receiver::start(Protocol::Grpc).await;
    let traces = Traces::start(&receiver.settings()).expect("settings");
    let mut span = trace().await.remove(0);
    span.links = vec![span.links[0]; 1_000];
    span.events = vec![Event { name: attributes::TRANSITION, at: span.start, attributes: Vec::new() }; 129];
    traces.offer(Written::of(&[span]));
    let arrived = receiver.spans(1).await.remove(0);
    assert_eq!((arrived.links.len(), arrived.dropped_links_count), (128, 872));
    assert_eq!((arrived.events.len(), arrived.dropped_events_count), (128, 1));
}

#[tokio::test]
async fn a_trace_that_is_larger_than_a_batch_comes_in_several() {
    let mut receiver = Receiver::start(Protocol::Grpc).await;
    let settings = tasker_otlp::Settings { batch: 4, ..receiver.settings() };
    let traces = Traces::start(&settings).expect("settings");
    let written = trace().await;
    traces.offer(Written::of(&written));
    assert_eq!(receiver.next().await.spans.len(), 4);
    let rest = receiver.spans(written.len() - 4).await;
    assert_eq!(rest.last().map(|span| span.name.as_str()), written.last().map(|span| span.name.as_ref()));
}
