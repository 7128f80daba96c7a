//! What a trace costs: the decision not to have one, and to write that of a task.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tasker_core::{TaskId, Timestamp};
use tasker_store::conformance::{Bench, clock};
use tasker_store::memory::MemoryStore;
use tasker_trace::{Sampling, TraceContext, spans};

fn deciding(c: &mut Criterion) {
    let task = TaskId::new(Timestamp::from_micros(1_790_000_000_000_000), 77 << 20);
    let sampling = Sampling::new(0.01, Some(Duration::from_secs(60))).expect("a ratio");
    c.bench_function("decide at the head", |b| {
        b.iter(|| sampling.is_sampled_at_head(black_box(task), None));
    });
    let key = tasker_core::LeaseKey { step: task.step(3), attempt: 2 };
    let decision = sampling.is_sampled_at_head(task, None);
    c.bench_function("name the parent of an attempt", |b| {
        b.iter(|| TraceContext::for_attempt(black_box(key), decision));
    });
}

fn writing(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (task, template, history) = runtime.block_on(async {
        let clock = clock();
        let bench = Bench::new(Arc::new(MemoryStore::new(clock.clone())), clock, Box::new(()));
        let middle: Vec<_> = (0..100).map(|number| format!("m{number}")).collect();
        let task = bench.submit(&format!("start -> {} -> end", middle.join(", "))).await;
        bench.complete_everything().await;
        let history = bench.store.history(task).await.expect("a history");
        (bench.task(task).await.into(), bench.template_of(task).await, history)
    });
    let count = spans(&task, &template, &history).len();
    let mut group = c.benchmark_group("write");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(format!("{count} spans of a task of 102 steps"), |b| {
        b.iter(|| spans(&task, &template, black_box(&history)));
    });
    group.finish();
}

criterion_group!(benches, deciding, writing);
criterion_main!(benches);
