//! Exemplars: which are kept, merged and told.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use tasker_metrics::text::{Format, encode};
use tasker_metrics::{
    Bounds, Description, Distribution, Exemplar, ExponentialHistogram, Histogram, Origin, Registry, Scale,
    Unit,
};

use crate::support::{self, Page};

fn origin(trace: u8, unix_nanos: u64) -> Origin {
    Origin { trace_id: [trace; 16], span_id: [trace; 8], unix_nanos }
}

/// A registry in which half a second was observed in a trace that is kept, and 0.6 seconds in none.
fn observed() -> Registry {
    let registry = Registry::default();
    let wait = Description::new("wait_seconds", "How long.").labels(&["queue"]).unit(Unit::Seconds);
    let bounds = Bounds::in_units(Unit::Seconds, &[0.1, 0.5, 1.0]);
    let wait = registry.histogram(wait, bounds).expect("a histogram").with(&["default"]);
    wait.observe_with(Duration::from_millis(500), origin(0xab, 1_700_000_000_250_000_000));
    wait.observe(Duration::from_millis(600));
    registry
}

#[test]
fn the_trace_of_an_observation_is_told_in_openmetrics() {
    let text = encode(&observed().snapshot(), Format::OpenMetrics);
    let trace = "ab".repeat(16);
    let wanted = format!(
        "wait_seconds_bucket{{queue=\"default\",le=\"0.5\"}} 1 # {{trace_id=\"{trace}\",span_id=\"{}\"}} 0.5 1700000000.25\n",
        &trace[..16]
    );
    assert!(text.contains(&wanted), "{text}");
    let told: Vec<_> = Page::read(&text).samples.into_iter().filter_map(|sample| sample.exemplar).collect();
    let [support::Exemplar { labels, value, timestamp }] = &told[..] else {
        panic!("there is one: {told:?}")
    };
    assert_eq!((&labels["trace_id"], value.as_str(), timestamp.as_str()), (&trace, "0.5", "1700000000.25"));
}

#[test]
fn the_text_of_prometheus_has_no_exemplars() {
    let text = encode(&observed().snapshot(), Format::Prometheus);
    assert!(text.lines().all(|line| line.starts_with("# ") || !line.contains('#')), "{text}");
}

#[test]
fn each_bucket_keeps_the_newest() {
    let histogram = Histogram::new(Bounds::new(&[10, 100]));
    for (parts, trace, unix_nanos) in [(5, 1, 50), (6, 2, 70), (7, 3, 60), (500, 4, 10)] {
        histogram.record_with(parts, origin(trace, unix_nanos));
    }
    let seen = histogram.distribution();
    let newest = |parts, trace, unix_nanos| Some(Exemplar { parts, origin: origin(trace, unix_nanos) });
    assert_eq!(seen.exemplars, [newest(6, 2, 70), None, newest(500, 4, 10)]);
    assert_eq!(seen.counts, [3, 0, 1]);
}

#[test]
fn what_has_no_trace_is_recorded_and_no_exemplar() {
    let histogram = Histogram::new(Bounds::new(&[10]));
    histogram.record_with(5, origin(0, 50));
    let seen = histogram.distribution();
    assert_eq!((seen.count(), seen.exemplars.iter().flatten().count()), (1, 0));
}

#[test]
fn a_span_that_is_not_known_is_not_told() {
    let registry = Registry::default();
    let wait = registry.histogram(Description::new("wait", "Waits."), Bounds::new(&[])).expect("a histogram");
    wait.with(&[]).record_with(7, Origin { span_id: [0; 8], ..origin(1, 2_000_000_000) });
    let text = encode(&registry.snapshot(), Format::OpenMetrics);
    assert!(text.contains(&format!("# {{trace_id=\"{}\"}} 7 2\n", "01".repeat(16))), "{text}");
}

#[test]
fn an_exemplar_of_an_exponential_histogram_is_told_at_its_bucket() {
    let registry = Registry::default();
    let wait = Description::new("wait_seconds", "How long.").unit(Unit::Seconds);
    let wait = registry.exponential(wait, Scale::new(0)).expect("a histogram").with(&[]);
    wait.observe_with(Duration::from_millis(300), origin(1, 10));
    wait.observe_with(Duration::from_secs(3), origin(2, 20));
    wait.observe_with(Duration::ZERO, origin(3, 30));
    let page = Page::read(&encode(&registry.snapshot(), Format::OpenMetrics));
    let told = page.of("wait_seconds_bucket").into_iter().filter_map(|sample| {
        let exemplar = sample.exemplar.as_ref()?;
        Some((sample.label("le").to_owned(), exemplar.value.clone()))
    });
    let wanted = [("0.5", "0.3"), ("4.0", "3")].map(|(bound, value)| (bound.to_owned(), value.to_owned()));
    assert_eq!(told.collect::<Vec<_>>(), wanted);
}

#[test]
fn threads_that_leave_exemplars_never_leave_one_that_nobody_made() {
    let histogram = Arc::new(Histogram::new(Bounds::new(&[1_000_000])));
    let threads: Vec<_> = (1..=4_u8)
        .map(|thread| {
            let histogram = Arc::clone(&histogram);
            thread::spawn(move || {
                for number in 0..5_000 {
                    histogram.record_with(u64::from(thread), origin(thread, number));
                }
            })
        })
        .collect();
    for _ in 0..200 {
        for Exemplar { origin, parts } in histogram.distribution().exemplars.into_iter().flatten() {
            assert_eq!(origin, self::origin(u8::try_from(parts).expect("a thread"), origin.unix_nanos));
        }
    }
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert_eq!(histogram.distribution().count(), 20_000);
}

fn of(bounds: &[u64], observed: &[(u64, u8, u64)]) -> Distribution {
    let histogram = Histogram::new(Bounds::new(bounds));
    for (parts, trace, unix_nanos) in observed {
        histogram.record_with(*parts, origin(*trace, *unix_nanos));
    }
    histogram.distribution()
}

proptest! {
    #[test]
    fn a_merge_keeps_the_newest_of_each_bucket_in_any_order(
        parts in prop::collection::vec(
            (prop::collection::btree_set(1_u64..50, 0..5), prop::collection::vec((0_u64..60, 1_u8..5, 0_u64..50), 1..10)), 3
        )
    ) {
        let all: Vec<Distribution> = parts
            .iter()
            .map(|(bounds, observed)| of(&bounds.iter().copied().collect::<Vec<_>>(), observed))
            .collect();
        let one = all[0].merged(&all[1]).merged(&all[2]);
        prop_assert_eq!(&one, &all[2].merged(&all[0].merged(&all[1])));
        let observed: Vec<_> = parts.iter().flat_map(|(_, observed)| observed.iter().copied()).collect();
        prop_assert_eq!(&one, &of(one.bounds.as_parts(), &observed));
    }

    #[test]
    fn a_merge_of_exponential_ones_keeps_the_newest_of_each_bucket_in_any_order(
        parts in prop::collection::vec((-4_i8..=8, prop::collection::vec((0_u64..1 << 40, 1_u8..5, 0_u64..50), 0..9)), 3)
    ) {
        let all: Vec<_> = parts
            .iter()
            .map(|(scale, observed)| {
                let histogram = ExponentialHistogram::new(Unit::Seconds, Scale::new(*scale));
                for (parts, trace, unix_nanos) in observed {
                    histogram.record_with(*parts, origin(*trace, *unix_nanos));
                }
                histogram.distribution()
            })
            .collect();
        let one = all[0].merged(&all[1]).merged(&all[2]);
        prop_assert_eq!(&one, &all[2].merged(&all[1]).merged(&all[0]));
        prop_assert_eq!(&one, &all[1].merged(&all[2].merged(&all[0])));
        let newest = |values: Vec<&Exemplar>| values.into_iter().max().copied();
        let all = all.iter().flat_map(|one| one.exemplars.values()).collect();
        prop_assert_eq!(newest(one.exemplars.values().collect()), newest(all));
    }
}
