//! What counting costs, beside a bare atomic addition, and what rendering costs, beside prometheus-client and
//! metrics-exporter-prometheus.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use metrics_exporter_prometheus::PrometheusBuilder;
use prometheus_client::encoding::text as peer;
use prometheus_client::metrics::counter::Counter as PeerCounter;
use prometheus_client::metrics::family::Family as PeerFamily;
use prometheus_client::registry::Registry as PeerRegistry;
use tasker_metrics::text::{Format, encode};
use tasker_metrics::{
    Bounds, Description, ExponentialHistogram, Facade, FacadeSettings, Histogram, Origin, Registry, Scale,
    Unit,
};

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

fn examples(c: &mut Criterion) {
    let histogram = Histogram::new(Bounds::of_work());
    let origin = Origin { trace_id: [1; 16], span_id: [2; 8], unix_nanos: 1_700_000_000_000_000_000 };
    c.bench_function("count/histogram, exemplar", |b| {
        b.iter(|| black_box(&histogram).record_with(black_box(7_000_000), black_box(origin)));
    });
    let exponential = ExponentialHistogram::new(Unit::Seconds, Scale::default());
    c.bench_function("count/exponential", |b| {
        b.iter(|| black_box(&exponential).record(black_box(7_000_000)));
    });
}

fn facade(c: &mut Criterion) {
    let facade = Facade::new(&Registry::default(), FacadeSettings::default()).expect("a facade");
    metrics::with_local_recorder(&facade, || {
        let counter = metrics::counter!("steps_total", "task" => "order", "step" => "charge");
        c.bench_function("facade/counter", |b| b.iter(|| black_box(&counter).increment(1)));
        let histogram = metrics::histogram!("run_seconds", "task" => "order", "step" => "charge");
        c.bench_function("facade/histogram", |b| b.iter(|| black_box(&histogram).record(black_box(0.007))));
        c.bench_function("facade/macro", |b| {
            b.iter(|| metrics::counter!("steps_total", "task" => "order", "step" => "charge").increment(1));
        });
        let owned = ["order", "charge"].map(String::from);
        c.bench_function("facade/macro, owned labels", |b| {
            b.iter(|| {
                let [task, step] = owned.clone();
                metrics::counter!("steps_total", "task" => task, "step" => step).increment(1);
            });
        });
    });
}

/// As much by one thread as by each of two, on series of their own: twice the work in the same time is what there is
/// to reach.
fn threads(c: &mut Criterion) {
    const COUNTS: u64 = 1_000_000;
    let registry = Registry::default();
    let counters = registry.counter(described("steps_total")).expect("a counter");
    let series: Vec<_> = ["a", "b"].iter().map(|step| counters.with(&["billing", "order", step])).collect();
    let mut group = c.benchmark_group("threads");
    group.sample_size(20);
    for count in [1, 2] {
        group.throughput(Throughput::Elements(COUNTS * count as u64));
        group.bench_function(format!("{count}"), |b| {
            b.iter(|| {
                thread::scope(|scope| {
                    for counter in &series[..count] {
                        scope.spawn(move || (0..COUNTS).for_each(|_| black_box(counter).increment()));
                    }
                });
            });
        });
    }
    group.finish();
}

fn rendering(c: &mut Criterion) {
    let registry = Registry::default();
    let ours = registry.counter(described("steps_total")).expect("a counter");
    let mut peers = PeerRegistry::default();
    let theirs = PeerFamily::<Vec<(String, String)>, PeerCounter>::default();
    peers.register("steps", "A metric", theirs.clone());
    let exporter = PrometheusBuilder::new().build_recorder();
    for number in 0..SERIES {
        let (task, step) = (format!("task{}", number / 100), format!("step{number}"));
        ours.with(&["billing", &task, &step]).add(number as u64);
        let labels = [("namespace", "billing".to_owned()), ("task", task), ("step", step)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value)).to_vec();
        metrics::with_local_recorder(&exporter, || {
            metrics::counter!("steps_total", &labels).increment(number as u64);
        });
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
    let exporter = exporter.handle();
    group.bench_function("metrics-exporter-prometheus", |b| b.iter(|| exporter.render().len()));
    group.finish();
}

criterion_group!(benches, counting, examples, facade, threads, rendering);
criterion_main!(benches);
