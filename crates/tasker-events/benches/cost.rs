//! What an event costs, beside a raw atomic addition in the same run.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{Criterion, criterion_group, criterion_main};
use tasker_events::{Backend, Event, EventId, Events, Routes, Sink};

/// Counts one thing, as a fold does that has found its series.
#[derive(Default)]
struct Count(AtomicU64);

impl Sink for Count {
    fn take(&self, event: &Event<'_>) {
        if let Event::TaskPruned { task_count } = event {
            self.0.fetch_add(*task_count, Ordering::Relaxed);
        }
    }
}

fn cost(c: &mut Criterion) {
    let atomic = AtomicU64::new(0);
    c.bench_function("atomic add", |b| b.iter(|| black_box(&atomic).fetch_add(1, Ordering::Relaxed)));
    let nowhere =
        Events::builder(Routes::nowhere()).sink(Backend::Metrics, Arc::new(Count::default())).build();
    let event = Event::TaskPruned { task_count: 1 };
    c.bench_function("event that goes nowhere", |b| b.iter(|| nowhere.emit(black_box(&event))));
    let mut routes = Routes::nowhere();
    routes.send(EventId::TaskPruned, &[Backend::Metrics]);
    let counted = Events::builder(routes).sink(Backend::Metrics, Arc::new(Count::default())).build();
    c.bench_function("event that is counted", |b| b.iter(|| counted.emit(black_box(&event))));
}

criterion_group!(benches, cost);
criterion_main!(benches);
