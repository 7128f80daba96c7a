//! Spans that handlers make while they run.

use std::sync::Arc;

use tasker_core::{LeaseKey, TaskId, Timestamp};
use tasker_otlp::{DatabaseCall, DatabasePlace, Protocol, Report, Traces, attempt_span, current};
use tasker_trace::{Sampled, TraceContext};
use tracing::subscriber::DefaultGuard;
use tracing::{Instrument, debug_span, error_span, info, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::receiver::{PATIENCE, Receiver, fact};

fn context(sampled: Sampled) -> TraceContext {
    let task = TaskId::new(Timestamp::from_micros(1_790_000_000_000_000), 77 << 20);
    TraceContext::for_attempt(LeaseKey { step: task.step(2), attempt: 3 }, sampled)
}

/// A subscriber with a log that takes everything beside the traces.
fn subscribe(traces: &Traces) -> DefaultGuard {
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    tracing_subscriber::registry()
        .with(traces.layer())
        .with(log.with_filter(tracing_subscriber::filter::LevelFilter::TRACE))
        .set_default()
}

#[tokio::test]
async fn what_a_handler_does_lies_under_its_span_of_the_record() {
    let mut receiver = Receiver::start(Protocol::Grpc).await;
    let traces = Traces::start(&receiver.settings()).expect("settings");
    let subscriber = subscribe(&traces);
    let handler = context(Sampled::Yes);
    let work = async {
        let call = info_span!("GET", otel.kind = "client", http.request.method = "GET");
        async { info!("answered") }.instrument(call).await;
    };
    work.instrument(attempt_span(&handler, "charge")).await;
    drop(subscriber);
    let spans = receiver.spans(2).await;
    let named = |name: &str| spans.iter().find(|span| span.name == name).expect(name);
    let (work, call) = (named("tasker.work"), named("GET"));
    assert_eq!(work.trace_id, handler.trace.as_u128().to_be_bytes());
    assert_eq!(work.parent_span_id, handler.span.as_u64().to_be_bytes());
    assert_eq!(fact(&work.attributes, "tasker.handler").as_deref(), Some("charge"));
    assert_eq!((&call.trace_id, &call.parent_span_id), (&work.trace_id, &work.span_id));
    assert_eq!(fact(&call.attributes, "http.request.method").as_deref(), Some("GET"));
    assert_eq!(call.events.len(), 1);
    assert!(work.start_time_unix_nano <= call.start_time_unix_nano);
}

#[tokio::test]
async fn outside_of_an_attempt_and_in_one_that_is_not_sampled_nothing_is_taken() {
    let receiver = Receiver::start(Protocol::Grpc).await;
    let traces = Traces::start(&receiver.settings()).expect("settings");
    let subscriber = subscribe(&traces);
    let work = || async {
        error_span!("a call").in_scope(|| info!("answered"));
    };
    work().await;
    let span = attempt_span(&context(Sampled::No), "charge");
    assert!(span.is_none());
    work().instrument(span).await;
    work().instrument(info_span!("something else")).await;
    drop(subscriber);
    assert_eq!(traces.shutdown(PATIENCE).await, Report::default());
}

#[tokio::test]
async fn what_is_finer_than_info_is_not_taken() {
    let receiver = Receiver::start(Protocol::Grpc).await;
    let traces = Traces::start(&receiver.settings()).expect("settings");
    let subscriber = subscribe(&traces);
    attempt_span(&context(Sampled::Yes), "charge").in_scope(|| debug_span!("detail").in_scope(|| {}));
    drop(subscriber);
    assert_eq!(traces.shutdown(PATIENCE).await.exported, 1);
}

#[tokio::test]
async fn the_innermost_span_is_what_is_sent_on() {
    let mut receiver = Receiver::start(Protocol::HttpProtobuf).await;
    let traces = Traces::start(&receiver.settings()).expect("settings");
    let subscriber = subscribe(&traces);
    assert_eq!(current(), None);
    let sent = attempt_span(&context(Sampled::Yes), "charge")
        .in_scope(|| info_span!("POST").in_scope(|| current().expect("a place")));
    drop(subscriber);
    let spans = receiver.spans(2).await;
    let call = spans.iter().find(|span| span.name == "POST").expect("the call");
    assert_eq!(call.span_id, sent.span.as_u64().to_be_bytes());
    assert_eq!(sent.trace, context(Sampled::Yes).trace);
}

#[tokio::test]
async fn a_call_to_the_database_is_told_by_the_conventions() {
    let mut receiver = Receiver::start(Protocol::Grpc).await;
    let traces = Traces::start(&receiver.settings()).expect("settings");
    let database = Arc::new(DatabasePlace {
        system: "postgresql",
        namespace: Some("shop".to_owned()),
        address: Some("db.example".to_owned()),
        port: Some(5433),
    });
    let call = |batch, error| DatabaseCall {
        parent: context(Sampled::Yes),
        database: Arc::clone(&database),
        operation: "settle",
        collection: "steps",
        batch,
        start: Timestamp::from_micros(1_790_000_000_000_000),
        end: Timestamp::from_micros(1_790_000_000_000_250),
        error,
    };
    traces.offer_calls([call(1, None), call(7, Some("unavailable"))].into_iter());
    let spans = receiver.spans(2).await;
    let facts = |span: usize| {
        let names =
            ["db.system.name", "db.namespace", "db.operation.name", "db.collection.name", "server.address"];
        let more = ["server.port", "db.operation.batch.size", "error.type"];
        let names = names.into_iter().chain(more);
        names
            .map(|name| fact(&spans[span].attributes, name).unwrap_or_default())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!((spans[0].name.as_str(), spans[0].kind), ("settle steps", 3), "a client");
    assert_eq!(spans[0].parent_span_id, context(Sampled::Yes).span.as_u64().to_be_bytes());
    assert_eq!(facts(0).trim_end(), "postgresql shop settle steps db.example 5433");
    assert_eq!(facts(1), "postgresql shop settle steps db.example 5433 7 unavailable");
    assert_eq!(spans[0].end_time_unix_nano - spans[0].start_time_unix_nano, 250_000);
    assert_ne!(spans[0].span_id, spans[1].span_id);
    assert_eq!(spans[0].status, None);
    assert_eq!(spans[1].status.as_ref().map(|status| status.code), Some(2), "an error");
}

#[tokio::test]
async fn secrets_in_attributes_are_masked() {
    let mut receiver = Receiver::start(Protocol::Grpc).await;
    let traces = Traces::start(&receiver.settings()).expect("settings");
    let subscriber = subscribe(&traces);
    attempt_span(&context(Sampled::Yes), "charge").in_scope(|| {
        info_span!("login", user = "ann", password = "hunter2").in_scope(|| info!(token = "t0p"));
    });
    drop(subscriber);
    let spans = receiver.spans(2).await;
    assert!(!format!("{spans:?}").contains("hunter2") && !format!("{spans:?}").contains("t0p"));
    let login = spans.iter().find(|span| span.name == "login").expect("the span");
    assert_eq!(fact(&login.attributes, "user").as_deref(), Some("ann"));
    assert_eq!(fact(&login.attributes, "password").as_deref(), Some("********"));
}

#[tokio::test]
async fn without_a_layer_an_attempt_runs_all_the_same() {
    let ran = attempt_span(&context(Sampled::Yes), "charge").in_scope(|| current().is_none());
    assert!(ran);
}
