//! Counters and gauges, by one thread and by many.

use std::thread;

use metrics::with_local_recorder;
use tasker_metrics::{Counter, Facade, FacadeSettings, Gauge, Registry, Value};

const THREADS: u32 = 10;
const TIMES: u32 = 2_000;

/// Has all threads do something at once.
fn together(work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(&work);
        }
    });
}

#[test]
fn a_counter_counts_one_and_many() {
    let counter = Counter::default();
    counter.increment();
    counter.add(9);
    assert_eq!(counter.value(), 10);
    counter.raise_to(7);
    assert_eq!(counter.value(), 10, "it never goes down");
    counter.raise_to(12);
    assert_eq!(counter.value(), 12);
}

#[test]
fn a_gauge_goes_up_and_down_by_fractions() {
    let gauge = Gauge::default();
    gauge.set(10.0);
    gauge.add(2.5);
    assert_eq!(gauge.value().to_bits(), 12.5_f64.to_bits());
    gauge.set(20.0);
    gauge.add(-3.0);
    assert_eq!(gauge.value().to_bits(), 17.0_f64.to_bits());
}

#[test]
fn what_many_threads_count_is_all_there() {
    let (counter, gauge) = (Counter::default(), Gauge::default());
    together(|| {
        for _ in 0..TIMES {
            counter.increment();
            gauge.add(1.5);
            gauge.add(-0.5);
        }
    });
    assert_eq!(counter.value(), u64::from(THREADS * TIMES));
    assert_eq!(gauge.value().to_bits(), f64::from(THREADS * TIMES).to_bits(), "halves add up exactly");
}

#[test]
fn what_many_threads_find_through_the_facade_is_one_series() {
    let registry = Registry::default();
    let facade = Facade::new(&registry, FacadeSettings::default()).expect("a facade");
    together(|| {
        with_local_recorder(&facade, || {
            for number in 0..TIMES {
                metrics::counter!("found_total", "kind" => (number % 3).to_string()).increment(1);
            }
        });
    });
    let family = &registry.snapshot().families["found_total"];
    let counts = family.series.iter().map(|(_, value)| match value {
        Value::Count(count) => *count,
        other => panic!("no counter: {other:?}"),
    });
    assert_eq!((counts.clone().count(), counts.sum::<u64>()), (3, u64::from(THREADS * TIMES)));
}
