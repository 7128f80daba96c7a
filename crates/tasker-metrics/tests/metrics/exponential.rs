//! Exponential histograms: buckets, errors, merges, text.

#![expect(clippy::cast_precision_loss, reason = "errors are told from values that are not too great")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use tasker_metrics::text::{Format, encode};
use tasker_metrics::{Description, ExponentialDistribution, ExponentialHistogram, Registry, Scale, Unit};

use crate::support::Page;

fn of(unit: Unit, scale: i8, observed: &[u64]) -> ExponentialDistribution {
    let histogram = ExponentialHistogram::new(unit, Scale::new(scale));
    for parts in observed {
        histogram.record(*parts);
    }
    histogram.distribution()
}

#[test]
fn a_value_on_a_bound_is_in_the_bucket_below_it() {
    let seen = of(Unit::One, 0, &[0, 1, 2, 3, 4, 5, 8, 9]);
    assert_eq!((seen.zeros, seen.first, &seen.counts[..]), (1, 0, &[1, 1, 2, 2, 1][..]));
    let fine = of(Unit::One, 3, &[1, 2]);
    assert_eq!((fine.first, fine.counts.len()), (0, 9), "eight buckets while values double");
    let coarse = of(Unit::One, -1, &[1, 2, 4, 5, 16, 17]);
    assert_eq!((coarse.first, &coarse.counts[..]), (0, &[1, 2, 2, 1][..]));
}

#[test]
fn buckets_are_those_of_the_unit_and_not_of_its_parts() {
    let seen = of(Unit::Seconds, 0, &[500_000_000, 1_000_000_000, 1_000_000_001]);
    assert_eq!((seen.first, &seen.counts[..]), (-1, &[1, 1, 1][..]));
}

#[test]
fn a_distribution_without_values_has_no_quantile() {
    let empty = of(Unit::Seconds, 3, &[]);
    assert_eq!((empty.quantile(0.5), empty.count(), empty.first), (None, 0, 0));
    assert_eq!(of(Unit::Seconds, 3, &[0, 0]).quantile(0.5), Some(0.0));
}

#[test]
fn the_scale_is_lowered_until_there_are_few_enough_buckets() {
    let seen = of(Unit::Seconds, 8, &[1, 1_000_000_000, u64::MAX]);
    assert_eq!(seen.count(), 3);
    assert!(seen.counts.len() <= 160, "{}", seen.counts.len());
    assert_eq!(seen.scale, Scale::new(1), "64 doublings of two buckets");
    assert_eq!(of(Unit::Seconds, 8, &[1_000_000, 1_100_000]).scale, Scale::new(8));
}

#[test]
fn what_no_histogram_can_have_is_told_apart() {
    let seen = of(Unit::Seconds, 8, &[0, 1, u64::MAX]);
    assert!(seen.is_possible());
    for first in [i32::MIN, i32::MAX, 17_000] {
        assert!(!ExponentialDistribution { first, ..seen.clone() }.is_possible());
    }
    assert!(!ExponentialDistribution { counts: vec![1; 161], ..seen }.is_possible());
}

#[test]
fn reading_changes_nothing_and_sums_are_exact() {
    let histogram = ExponentialHistogram::new(Unit::Seconds, Scale::default());
    for millis in 1..=1_000 {
        histogram.observe(Duration::from_millis(millis));
    }
    let seen = histogram.distribution();
    assert_eq!((seen.count(), seen.sum), (1_000, 500_500_000_000));
    assert_eq!(histogram.distribution(), seen);
    let median = seen.quantile(0.5).expect("a median");
    assert!((median / 0.5 - 1.0).abs() <= Scale::default().relative_error() + 1e-9, "{median}");
}

#[test]
fn while_threads_observe_every_reading_agrees_with_itself_and_none_is_lost() {
    let histogram = Arc::new(ExponentialHistogram::new(Unit::One, Scale::new(0)));
    let is_over = Arc::new(AtomicBool::new(false));
    let observe = || {
        let (histogram, is_over) = (Arc::clone(&histogram), Arc::clone(&is_over));
        thread::spawn(move || {
            let mut observed = 0_u64;
            while !is_over.load(Ordering::Relaxed) {
                histogram.record(4);
                observed += 1;
            }
            observed
        })
    };
    let observers = [observe(), observe()];
    for _ in 0..200 {
        let seen = histogram.distribution();
        assert_eq!(seen.sum, u128::from(seen.count()) * 4);
    }
    is_over.store(true, Ordering::Relaxed);
    let observed: u64 = observers.into_iter().map(|thread| thread.join().expect("no panic")).sum();
    assert_eq!(histogram.distribution().count(), observed);
}

#[test]
fn the_text_has_cumulative_buckets_at_its_bounds() {
    let registry = Registry::default();
    let described = Description::new("wait_seconds", "How long.").unit(Unit::Seconds);
    let wait = registry.exponential(described, Scale::new(0)).expect("a histogram").with(&[]);
    for millis in [0, 300, 500, 1_000, 3_000] {
        wait.observe(Duration::from_millis(millis));
    }
    let wanted = "\
# HELP wait_seconds How long.
# TYPE wait_seconds histogram
wait_seconds_bucket{le=\"0.25\"} 1
wait_seconds_bucket{le=\"0.5\"} 3
wait_seconds_bucket{le=\"1.0\"} 4
wait_seconds_bucket{le=\"2.0\"} 4
wait_seconds_bucket{le=\"4.0\"} 5
wait_seconds_bucket{le=\"+Inf\"} 5
wait_seconds_sum 4.8
wait_seconds_count 5
";
    assert_eq!(encode(&registry.snapshot(), Format::Prometheus), wanted);
}

fn any_values() -> impl Strategy<Value = Vec<u64>> {
    let value = prop_oneof![
        0_u64..20,
        0..=u64::MAX >> 6,
        (0_u32..57).prop_map(|power| 1 << power),
        1_u64..10_000_000_000
    ];
    prop::collection::vec(value, 0..20)
}

fn any_unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![Unit::One, Unit::Bytes, Unit::Seconds, Unit::Fraction])
}

proptest! {
    #[test]
    fn merging_is_the_same_in_any_order_and_loses_nothing(
        unit in any_unit(), parts in prop::collection::vec((-4_i8..=8, any_values()), 3)
    ) {
        let all: Vec<_> = parts.iter().map(|(scale, observed)| of(unit, *scale, observed)).collect();
        let one = all[0].merged(&all[1]).merged(&all[2]);
        prop_assert_eq!(&all[1].merged(&all[0]), &all[0].merged(&all[1]));
        prop_assert_eq!(&one, &all[2].merged(&all[0].merged(&all[1])));
        let observed: Vec<u64> = parts.iter().flat_map(|(_, observed)| observed.iter().copied()).collect();
        prop_assert_eq!(one.count(), observed.len() as u64);
        prop_assert_eq!(one.sum, observed.iter().map(|parts| u128::from(*parts)).sum::<u128>());
        let least = parts.iter().map(|(scale, _)| *scale).min().expect("three");
        prop_assert_eq!(one, of(unit, least, &observed), "as if everything had been observed at the lower scale");
    }

    #[test]
    fn every_value_is_within_the_error_of_the_scale(unit in any_unit(), scale in 0_i8..=8, mut observed in any_values()) {
        prop_assume!(!observed.is_empty());
        let seen = of(unit, scale, &observed);
        observed.sort_unstable();
        for (rank, parts) in observed.iter().enumerate() {
            let part = (rank as f64 + 0.5) / observed.len() as f64;
            let estimate = seen.quantile(part).expect("there are values");
            let value = *parts as f64 / unit.parts() as f64;
            let error = (estimate - value).abs();
            prop_assert!(error <= value * (seen.scale.relative_error() + 1e-9), "{estimate} for {value}: {seen:?}");
        }
    }

    #[test]
    fn any_text_is_cumulative(unit in any_unit(), scale in -4_i8..=8, observed in any_values()) {
        let registry = Registry::default();
        let name = match unit { Unit::Seconds => "x_seconds", Unit::Bytes => "x_bytes", Unit::One | Unit::Fraction => "x" };
        let described = Description::new(name, "Numbers.").unit(unit);
        let numbers = registry.exponential(described, Scale::new(scale)).expect("a histogram").with(&[]);
        for parts in &observed {
            numbers.record(*parts);
        }
        let page = Page::read(&encode(&registry.snapshot(), Format::OpenMetrics));
        for sample in page.of(&format!("{name}_bucket")) {
            let bound: f64 = sample.label("le").replace("+Inf", "inf").parse().expect("a bound");
            let parts = bound * unit.parts() as f64;
            let below = observed.iter().filter(|value| **value as f64 <= parts * (1.0 + 1e-15)).count();
            prop_assert_eq!(&sample.value, &below.to_string(), "{}", bound);
        }
        prop_assert_eq!(page.value(&format!("{name}_count"), &[]), observed.len().to_string());
    }
}
