//! Histograms: buckets, sums, snapshots under fire, merges.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use tasker_metrics::{Bounds, Distribution, Histogram};

fn of(bounds: &[u64], observed: &[u64]) -> Distribution {
    let histogram = Histogram::new(Bounds::new(bounds));
    for parts in observed {
        histogram.record(*parts);
    }
    histogram.distribution()
}

#[test]
fn a_value_on_a_bound_is_in_the_bucket_below_it() {
    assert_eq!(of(&[10, 20], &[0, 10, 11, 20, 21]).counts, [2, 2, 1]);
}

#[test]
fn a_sum_of_fractions_is_exact() {
    let histogram = Histogram::new(Bounds::of_work());
    for _ in 0..1_000 {
        histogram.observe(Duration::from_millis(100));
    }
    assert_eq!(histogram.distribution().sum, 100_000_000_000);
    assert_eq!(histogram.distribution().count(), 1_000, "reading changes nothing");
}

#[test]
fn bounds_may_come_in_any_order_and_twice() {
    assert_eq!(Bounds::new(&[1_000, 500, 1_000]).as_parts(), [500, 1_000]);
    assert_eq!(of(&[20, 10], &[5, 15]).counts, [1, 1, 0]);
}

#[test]
fn while_threads_observe_every_reading_agrees_with_itself_and_none_is_lost() {
    let histogram = Arc::new(Histogram::new(Bounds::new(&[10, 100, 1_000])));
    let is_over = Arc::new(AtomicBool::new(false));
    let observers: Vec<_> = (0..4)
        .map(|_| {
            let (histogram, is_over) = (Arc::clone(&histogram), Arc::clone(&is_over));
            thread::spawn(move || {
                let mut observed = 0_u64;
                while !is_over.load(Ordering::Relaxed) {
                    histogram.record(5);
                    histogram.record(500);
                    observed += 2;
                    // Who is interrupted in the middle of one is waited for.
                    thread::yield_now();
                }
                observed
            })
        })
        .collect();
    let mut before = 0;
    for _ in 0..1_000 {
        let seen = histogram.distribution();
        let (low, middle) = (seen.counts[0], seen.counts[2]);
        assert_eq!(seen.counts[1] + seen.counts[3], 0);
        assert_eq!(
            seen.sum,
            u128::from(low) * 5 + u128::from(middle) * 500,
            "the sum is that of the buckets"
        );
        assert!(seen.count() >= before, "a count never goes down");
        before = seen.count();
    }
    is_over.store(true, Ordering::Relaxed);
    let observed: u64 = observers.into_iter().map(|thread| thread.join().expect("no panic")).sum();
    assert_eq!(histogram.distribution().count(), observed);
}

#[test]
fn distributions_with_other_bounds_merge_on_those_they_share() {
    let ours = of(&[10, 25, 50, 100], &[5, 20, 40, 80, 500]);
    let theirs = of(&[10, 20, 50], &[5, 15, 30, 60]);
    let both = ours.merged(&theirs);
    assert_eq!(both.bounds, Bounds::new(&[10, 50]));
    assert_eq!(both.counts, [2, 4, 3]);
    assert_eq!((both.count(), both.sum), (9, ours.sum + theirs.sum));
}

proptest! {
    #[test]
    fn merging_is_the_same_in_any_order_and_loses_nothing(
        parts in prop::collection::vec((prop::collection::btree_set(1_u64..50, 0..6), prop::collection::vec(0_u64..60, 0..20)), 3)
    ) {
        let all: Vec<Distribution> = parts
            .iter()
            .map(|(bounds, observed)| of(&bounds.iter().copied().collect::<Vec<_>>(), observed))
            .collect();
        let one = all[0].merged(&all[1]).merged(&all[2]);
        let other = all[2].merged(&all[0].merged(&all[1]));
        prop_assert_eq!(&one, &other);
        let observed: Vec<u64> = parts.iter().flat_map(|(_, observed)| observed.iter().copied()).collect();
        let at_once = of(one.bounds.as_parts(), &observed);
        prop_assert_eq!(one, at_once, "as if everything had been observed with the shared bounds");
    }
}
