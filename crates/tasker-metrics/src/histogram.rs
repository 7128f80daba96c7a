//! Histograms whose count, sum and buckets always agree.
//!
//! Observations go into the hot one of two halves. A reader exchanges the halves, waits for the observations that
//! are still on their way into the cold one, reads that, and adds it to the hot one: the way of Go's client, see
//! <https://github.com/prometheus/client_golang/pull/457>. Nobody who observes ever waits.

use std::hint;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::description::Unit;
use crate::snapshot::Distribution;

/// The bit of [`Histogram::begun`] that says which half is hot; the others count.
const HOT: u64 = 1 << 63;

/// The upper bounds of buckets, in parts of the unit. What is greater than the last is in a bucket without bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds(Arc<[u64]>);

impl Bounds {
    /// Bounds in parts of the unit, in any order; one that occurs twice counts once.
    pub fn new(bounds: &[u64]) -> Self {
        let mut bounds = bounds.to_vec();
        bounds.sort_unstable();
        bounds.dedup();
        Self(bounds.into())
    }

    /// From a millisecond to an hour: for durations of steps and tasks.
    pub fn of_work() -> Self {
        let millis = [
            1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000,
        ];
        Self(millis.iter().map(|millis| millis * 1_000_000).collect())
    }

    /// From a tenth of a millisecond to ten seconds: for what a store or a server answers.
    pub fn of_answers() -> Self {
        let micros = [
            100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
            2_500_000, 5_000_000, 10_000_000,
        ];
        Self(micros.iter().map(|micros| micros * 1_000).collect())
    }

    /// From 256 bytes to 4 GiB, each four times the one before: for sizes, in bytes.
    pub fn of_sizes() -> Self {
        Self((4..=16).map(|power| 1 << (2 * power)).collect())
    }

    /// Bounds in whole units, such as seconds. One that is no number or less than zero is left out.
    pub fn in_units(unit: Unit, bounds: &[f64]) -> Self {
        let parts: Vec<u64> = bounds.iter().filter_map(|bound| unit.parts_of(*bound)).collect();
        Self::new(&parts)
    }

    /// The bounds, in parts of the unit.
    pub fn as_parts(&self) -> &[u64] {
        &self.0
    }

    /// The bucket of a value: the first whose bound is not less.
    #[inline]
    fn bucket(&self, parts: u64) -> usize {
        self.0.partition_point(|bound| *bound < parts)
    }

    /// The bounds that both have.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().copied().filter(|bound| other.0.binary_search(bound).is_ok()).collect())
    }
}

/// How often values were in which range, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: Bounds,
    /// Observations that were begun, and which half they are to go into.
    begun: AtomicU64,
    halves: [Half; 2],
    /// The sum of what was read so far, which is in neither half any more. Whoever reads holds it.
    read: Mutex<u128>,
}

#[derive(Debug)]
struct Half {
    /// Observations that are entirely in this half.
    ended: AtomicU64,
    sum: AtomicU64,
    buckets: Box<[AtomicU64]>,
}

impl Half {
    fn new(bounds: &Bounds) -> Self {
        let buckets = (0..=bounds.0.len()).map(|_| AtomicU64::new(0)).collect();
        Self { ended: AtomicU64::new(0), sum: AtomicU64::new(0), buckets }
    }
}

impl Histogram {
    /// A histogram without observations.
    pub fn new(bounds: Bounds) -> Self {
        let halves = [Half::new(&bounds), Half::new(&bounds)];
        Self { bounds, begun: AtomicU64::new(0), halves, read: Mutex::default() }
    }

    /// Records a duration, of a histogram in [`Unit::Seconds`]; one of more than 584 years as that.
    #[inline]
    pub fn observe(&self, duration: Duration) {
        debug_assert_eq!(Unit::Seconds.parts(), 1_000_000_000, "durations are recorded in nanoseconds");
        self.record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Records a value in parts of the unit. The sum of those between two readings is kept modulo 2⁶⁴: 584 years in
    /// nanoseconds.
    #[inline]
    pub fn record(&self, parts: u64) {
        let half = usize::from(self.begun.fetch_add(1, Ordering::Acquire) & HOT != 0);
        let half = &self.halves[half];
        half.buckets[self.bounds.bucket(parts)].fetch_add(1, Ordering::Relaxed);
        half.sum.fetch_add(parts, Ordering::Relaxed);
        half.ended.fetch_add(1, Ordering::Release);
    }

    /// What was observed, at one time.
    pub fn distribution(&self) -> Distribution {
        let mut sum = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.begun.fetch_xor(HOT, Ordering::AcqRel);
        let cold = usize::from(before & HOT != 0);
        let count = before & !HOT;
        let (cold, hot) = (&self.halves[cold], &self.halves[1 - cold]);
        while cold.ended.load(Ordering::Acquire) != count {
            hint::spin_loop();
            std::thread::yield_now();
        }
        *sum += u128::from(cold.sum.swap(0, Ordering::Relaxed));
        let counts: Vec<u64> = cold.buckets.iter().map(|bucket| bucket.swap(0, Ordering::Relaxed)).collect();
        for (bucket, count) in hot.buckets.iter().zip(&counts) {
            bucket.fetch_add(*count, Ordering::Relaxed);
        }
        cold.ended.store(0, Ordering::Relaxed);
        hot.ended.fetch_add(count, Ordering::Release);
        Distribution { bounds: self.bounds.clone(), counts, sum: *sum }
    }
}
