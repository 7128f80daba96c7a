//! What counting costs, beside a bare atomic addition, and what rendering costs, beside prometheus-client.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{Criterion, criterion_group, criterion_main};
use prometheus_client::encoding::text as peer;
use prometheus_client::metrics::counter::Counter as PeerCounter;
use prometheus_client::metrics::family::Family as PeerFamily;
use prometheus_client::registry::Registry as PeerRegistry;
use tasker_metrics::text::{Format, encode};
use tasker_metrics::{Bounds, Description, Registry};

const SERIES: usize = 100_000;

fn described(name: &str) -> Description {
    Description::new(name, "A metric.").labels(&["namespace", "task", "step"]).limit(usize::MAX)
}

fn counting(c: &mut Criterion) {
    let registry = Registry::default();
    let counters = registry.counter(described("steps_total")).expect("a counter");
    let counter = counters.with(&["billing", "order", "charge"]);
    let histogram = registry.histogram(described("run_ns"), Bounds::of_work()).expect("a histogram");
    let histogram = histogram.with(&["billing", "order", "charge"]);
    let bare = AtomicU64::new(0);
    let owned = ["billing", "order", "charge"].map(String::from);
    c.bench_function("count/bare atomic", |b| b.iter(|| black_box(&bare).fetch_add(1, Ordering::Relaxed)));
    c.bench_function("count/counter", |b| b.iter(|| black_box(&counter).increment()));
    c.bench_function("count/histogram", |b| b.iter(|| black_box(&histogram).record(black_box(7_000_000))));
    c.bench_function("count/lookup", |b| {
        b.iter(|| black_box(&counters).with(&[&owned[0], &owned[1], &owned[2]]).increment());
    });
}

fn rendering(c: &mut Criterion) {
    let registry = Registry::default();
    let ours = registry.counter(described("steps_total")).expect("a counter");
    let mut peers = PeerRegistry::default();
    let theirs = PeerFamily::<Vec<(String, String)>, PeerCounter>::default();
    peers.register("steps", "A metric", theirs.clone());
    for number in 0..SERIES {
        let (task, step) = (format!("task{}", number / 100), format!("step{number}"));
        ours.with(&["billing", &task, &step]).add(number as u64);
        let labels = [("namespace", "billing".to_owned()), ("task", task), ("step", step)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value)).to_vec();
        theirs.get_or_create(&labels).inc_by(number as u64);
    }
    let mut group = c.benchmark_group("render");
    group.sample_size(10);
    group.bench_function("ours", |b| b.iter(|| encode(&registry.snapshot(), Format::OpenMetrics).len()));
    group.bench_function("prometheus-client", |b| {
        b.iter(|| {
            let mut text = String::new();
            peer::encode(&mut text, &peers).expect("a text");
            text.len()
        });
    });
    group.finish();
}

criterion_group!(benches, counting, rendering);
criterion_main!(benches);
