//! What 100,000 series with three labels take of memory, and of time and memory while they are rendered, beside
//! prometheus-client and metrics-exporter-prometheus: the same series by each, counted by one allocator.

#![expect(
    clippy::cast_precision_loss,
    reason = "bytes of a benchmark are far from the limits of their types"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use peak_alloc::PeakAlloc;
use prometheus_client::encoding::{EncodeLabelSet, text as peer};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry as PeerRegistry;
use tasker_metrics::text::{Format, encode};
use tasker_metrics::{Description, Registry};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const SERIES: usize = 100_000;
const ROUNDS: usize = 7;

/// Labels as those who use prometheus-client write them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    namespace: String,
    task: String,
    step: String,
}

fn labels(number: usize) -> [String; 3] {
    ["billing".to_owned(), format!("task{}", number / 100), format!("step{number}")]
}

fn ours() -> Registry {
    let registry = Registry::default();
    let description = Description::new("steps_total", "A metric.").labels(&["namespace", "task", "step"]);
    let family = registry.counter(description.limit(usize::MAX)).expect("a counter");
    for number in 0..SERIES {
        let [namespace, task, step] = labels(number);
        family.with(&[&namespace, &task, &step]).add(number as u64);
    }
    registry
}

fn prometheus_client() -> PeerRegistry {
    let (mut registry, family) = (PeerRegistry::default(), Family::<Labels, Counter>::default());
    registry.register("steps", "A metric", family.clone());
    for number in 0..SERIES {
        let [namespace, task, step] = labels(number);
        family.get_or_create(&Labels { namespace, task, step }).inc_by(number as u64);
    }
    registry
}

fn exporter() -> PrometheusRecorder {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        for number in 0..SERIES {
            let [namespace, task, step] = labels(number);
            metrics::counter!("steps_total", "namespace" => namespace, "task" => task, "step" => step)
                .increment(number as u64);
        }
    });
    recorder
}

/// Prints what series take when they are made, what they take once they were rendered, what rendering takes besides,
/// and for how long.
fn report<T>(name: &str, make: impl FnOnce() -> T, render: impl Fn(&T) -> String) {
    let empty = HEAP.current_usage();
    let series = make();
    let of_each = |bytes: usize| bytes.saturating_sub(empty) as f64 / SERIES as f64;
    let made = of_each(HEAP.current_usage());
    let text = render(&series).len();
    let kept = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| timed(|| render(&series))).collect();
    times.sort_unstable();
    println!(
        "{name:28} {made:6.0} B/series, {:.0} after a scrape; rendering: {:6.1} ms, {:.0} B/series besides, of which \
         the text is {:.0}",
        of_each(kept),
        times[ROUNDS / 2].as_secs_f64() * 1e3,
        of_each(HEAP.peak_usage()) - of_each(kept),
        text as f64 / SERIES as f64,
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    black_box(work());
    begun.elapsed()
}

fn main() {
    println!("{SERIES} counters with three labels each");
    report("ours", ours, |registry| encode(&registry.snapshot(), Format::OpenMetrics));
    report("prometheus-client", prometheus_client, |registry| {
        let mut text = String::new();
        peer::encode(&mut text, registry).expect("a text");
        text
    });
    report("metrics-exporter-prometheus", exporter, |recorder| recorder.handle().render());
}
