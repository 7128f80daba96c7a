//! Histograms whose count, sum and buckets always agree.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::bounds::Bounds;
use crate::description::Unit;
use crate::halves::Halves;
use crate::snapshot::Distribution;

/// How often values were in which range, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: Bounds,
    halves: Halves<Box<[AtomicU64]>>,
}

impl Histogram {
    /// A histogram without observations.
    pub fn new(bounds: Bounds) -> Self {
        let buckets = || (0..=bounds.as_parts().len()).map(|_| AtomicU64::new(0)).collect();
        Self { halves: Halves::new(buckets), bounds }
    }

    /// Records a duration, of a histogram in [`Unit::Seconds`]; one of more than 584 years as that.
    #[inline]
    pub fn observe(&self, duration: Duration) {
        self.record(Unit::parts_of_duration(duration));
    }

    /// Records a value in parts of the unit. The sum of those between two readings is kept modulo 2⁶⁴: 584 years in
    /// nanoseconds.
    #[inline]
    pub fn record(&self, parts: u64) {
        let bucket = self.bounds.bucket(parts);
        self.halves.record(parts, |buckets| _ = buckets[bucket].fetch_add(1, Ordering::Relaxed));
    }

    /// What was observed, at one time.
    pub fn distribution(&self) -> Distribution {
        let (counts, sum) = self.halves.read(|cold, hot| {
            let counts: Vec<u64> = cold.iter().map(|bucket| bucket.swap(0, Ordering::Relaxed)).collect();
            for (bucket, count) in hot.iter().zip(&counts) {
                bucket.fetch_add(*count, Ordering::Relaxed);
            }
            counts
        });
        Distribution { bounds: self.bounds.clone(), counts, sum }
    }
}
