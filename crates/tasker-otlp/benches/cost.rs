//! What it costs to have traces: an attempt that is not sampled, one that is, and to put spans into the queue.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tasker_core::{LeaseKey, TaskId, Timestamp};
use tasker_otlp::{Settings, Traces, Written, attempt_span};
use tasker_trace::{
    Kind, Sampled, Sampling, Span, SpanId, Subject, TraceContext, TraceId, Value, attributes,
};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

fn task() -> TaskId {
    // Its place is above the ratio.
    TaskId::new(Timestamp::from_micros(1_790_000_000_000_000), 0x2aaa_aaaa_aaa0_0000)
}

fn span(number: u32) -> Span<'static> {
    let at = Timestamp::from_micros(1_790_000_000_000_000);
    let key = LeaseKey { step: task().step(1), attempt: number };
    let fact = |name, value: &str| (name, Value::from(value.to_owned()));
    Span {
        trace: TraceId::of(task()),
        id: SpanId::of(task(), Subject::Attempt(key)),
        parent: Some(SpanId::of(task(), Subject::Run(1))),
        name: "tasker.attempt".into(),
        kind: Kind::Consumer,
        start: at,
        end: at,
        attributes: vec![fact(attributes::STEP_NAME, "charge"), fact(attributes::HANDLER, "Charge")],
        events: Vec::new(),
        links: Vec::new(),
        error: None,
    }
}

/// The collector is not there: what is measured is what callers pay.
fn cost(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let inside = runtime.enter();
    let settings = Settings { endpoint: "http://127.0.0.1:9".to_owned(), ..Settings::default() };
    let traces = Traces::start(&settings).expect("settings");
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    let subscriber = tracing::subscriber::set_default(subscriber);
    let sampling = Sampling::new(0.01, None).expect("a ratio");
    let key = LeaseKey { step: task().step(1), attempt: 1 };
    let attempt = |sampled| {
        attempt_span(&TraceContext::for_attempt(key, sampled), "Charge")
            .in_scope(|| info_span!("GET", http.request.method = "GET").in_scope(|| black_box(1)))
    };
    assert_eq!(sampling.is_sampled_at_head(task(), None), Sampled::No);
    c.bench_function("an attempt that is not sampled, decision and call inside included", |b| {
        b.iter(|| attempt(sampling.is_sampled_at_head(black_box(task()), None)));
    });
    c.bench_function("an attempt that is not sampled, nothing inside", |b| {
        let decide = || sampling.is_sampled_at_head(black_box(task()), None);
        b.iter(|| {
            attempt_span(&TraceContext::for_attempt(key, decide()), "Charge").in_scope(|| black_box(1))
        });
    });
    c.bench_function("an attempt that is sampled, with a call inside", |b| {
        b.iter(|| attempt(black_box(Sampled::Yes)));
    });
    let spans = |count| (1..=count).map(span).collect::<Vec<_>>();
    let hundred = || Written::of(&spans(100));
    let unwritten = spans(100);
    c.bench_function("to write 100 spans", |b| b.iter(|| Written::of(black_box(&unwritten))));
    c.bench_function("to put 100 spans into the queue", |b| {
        let setup = || (Traces::start(&settings).expect("settings"), hundred());
        b.iter_batched(
            setup,
            |(traces, spans)| {
                traces.offer(spans);
                traces
            },
            BatchSize::LargeInput,
        );
    });
    traces.offer(Written::of(&spans(20_000)));
    c.bench_function("to drop 100 spans that there is no room for", |b| {
        b.iter_batched(hundred, |spans| traces.offer(spans), BatchSize::LargeInput);
    });
    drop((subscriber, inside));
}

criterion_group!(benches, cost);
criterion_main!(benches);
