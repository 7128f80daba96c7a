//! What is told while eight threads observe.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tasker_metrics::text::{Format, encode};
use tasker_metrics::{Bounds, Description, Registry, Scale};

use crate::support::Page;

const THREADS: usize = 8;
const PAGES: usize = 1_000;

/// The histogram of this name agrees with itself: no bucket has less than the one below it, and the last has all.
fn count(page: &Page, name: &str) -> u64 {
    let buckets = page.of(&format!("{name}_bucket"));
    let counts: Vec<u64> = buckets.iter().map(|bucket| bucket.value.parse().expect("a count")).collect();
    assert!(counts.is_sorted(), "{counts:?}");
    let count = page.value(&format!("{name}_count"), &[]).parse().expect("a count");
    assert_eq!(
        (buckets.last().map(|bucket| bucket.label("le")), counts.last()),
        (Some("+Inf"), Some(&count))
    );
    let sum: u64 = page.value(&format!("{name}_sum"), &[]).parse().expect("a sum");
    assert_eq!(sum % 7, 0, "every value is a multiple of seven");
    count
}

#[test]
fn every_page_agrees_with_itself_and_no_observation_is_lost() {
    let registry = Registry::default();
    let classic =
        registry.histogram(Description::new("classic", "Of chosen bounds."), Bounds::new(&[10, 100]));
    let classic = classic.expect("a histogram").with(&[]);
    let grown = registry.exponential(Description::new("grown", "Of grown bounds."), Scale::default());
    let grown = grown.expect("a histogram").with(&[]);
    let is_over = AtomicBool::new(false);
    let observe = || {
        let mut observed = 0;
        while !is_over.load(Ordering::Relaxed) {
            let parts = 7 * (observed % 20);
            classic.record(parts);
            grown.record(parts);
            observed += 1;
            // Who is interrupted in the middle of one is waited for, and there are more threads than processors.
            if observed % 16 == 0 {
                thread::yield_now();
            }
        }
        observed
    };
    let observed: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(observe)).collect();
        let mut before = (0, 0);
        for _ in 0..PAGES {
            let page = Page::read(&encode(&registry.snapshot(), Format::OpenMetrics));
            let now = (count(&page, "classic"), count(&page, "grown"));
            assert!(now.0 >= before.0 && now.1 >= before.1, "a count never goes down");
            before = now;
        }
        is_over.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    let page = Page::read(&encode(&registry.snapshot(), Format::Prometheus));
    assert_eq!((count(&page, "classic"), count(&page, "grown")), (observed, observed));
}
