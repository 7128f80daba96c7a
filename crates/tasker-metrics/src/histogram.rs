//! Histograms whose count, sum and buckets always agree.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::bounds::Bounds;
use crate::description::Unit;
use crate::exemplar::{Exemplar, Exemplars, Origin};
use crate::halves::Halves;
use crate::snapshot::Distribution;

/// How often values were in which range, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: Bounds,
    halves: Halves<Box<[AtomicU64]>>,
    exemplars: Exemplars,
}

impl Histogram {
    /// A histogram without observations.
    pub fn new(bounds: Bounds) -> Self {
        let buckets = || (0..=bounds.as_parts().len()).map(|_| AtomicU64::new(0)).collect();
        Self { halves: Halves::new(buckets), bounds, exemplars: Exemplars::default() }
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

    /// Records a duration as [`observe`](Self::observe) does, and keeps it as the exemplar of its bucket until there
    /// is a newer one.
    pub fn observe_with(&self, duration: Duration, origin: Origin) {
        self.record_with(Unit::parts_of_duration(duration), origin);
    }

    /// Records a value as [`record`](Self::record) does, and keeps it as the exemplar of its bucket until there is a
    /// newer one.
    pub fn record_with(&self, parts: u64, origin: Origin) {
        self.record(parts);
        let places = self.bounds.as_parts().len() + 1;
        self.exemplars.keep(Exemplar { origin, parts }, self.bounds.bucket(parts), places);
    }

    /// What was observed, at one time.
    pub fn distribution(&self) -> Distribution {
        // Before the counts, so that what is an example of a bucket is counted in it.
        let exemplars = self.exemplars.kept();
        let (counts, sum) = self.halves.read(|cold, hot| {
            let counts: Vec<u64> = cold.iter().map(|bucket| bucket.swap(0, Ordering::Relaxed)).collect();
            for (bucket, count) in hot.iter().zip(&counts) {
                bucket.fetch_add(*count, Ordering::Relaxed);
            }
            counts
        });
        Distribution { bounds: self.bounds.clone(), counts, sum, exemplars }
    }
}
