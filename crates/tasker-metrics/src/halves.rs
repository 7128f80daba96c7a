//! Buckets that are read while others count.
//!
//! Observations go into the hot one of two halves. A reader exchanges the halves, waits for the observations that
//! are still on their way into the cold one, reads that, and adds it to the hot one: the way of Go's client, see
//! <https://github.com/prometheus/client_golang/pull/457>. Nobody who observes ever waits.

use std::hint;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The bit of [`Halves::begun`] that says which half is hot; the others count.
const HOT: u64 = 1 << 63;

/// Two halves of buckets, and the sum of what is in them.
#[derive(Debug)]
pub(crate) struct Halves<B> {
    /// Observations that were begun, and which half they are to go into.
    begun: AtomicU64,
    both: [Half<B>; 2],
    /// The sum of what was read so far, which is in neither half any more. Whoever reads holds it.
    read: Mutex<u128>,
}

#[derive(Debug)]
struct Half<B> {
    /// Observations that are entirely in this half.
    ended: AtomicU64,
    sum: AtomicU64,
    buckets: B,
}

impl<B> Halves<B> {
    pub(crate) fn new(make: impl Fn() -> B) -> Self {
        let half = || Half { ended: AtomicU64::new(0), sum: AtomicU64::new(0), buckets: make() };
        Self { begun: AtomicU64::new(0), both: [half(), half()], read: Mutex::default() }
    }

    /// Records a value: `count` counts it in one of the buckets.
    #[inline]
    pub(crate) fn record(&self, parts: u64, count: impl FnOnce(&B)) {
        let half = usize::from(self.begun.fetch_add(1, Ordering::Acquire) & HOT != 0);
        let half = &self.both[half];
        count(&half.buckets);
        half.sum.fetch_add(parts, Ordering::Relaxed);
        half.ended.fetch_add(1, Ordering::Release);
    }

    /// What `take` reads from the first buckets, while it moves them into the second; and the sum of all values.
    pub(crate) fn read<T>(&self, take: impl FnOnce(&B, &B) -> T) -> (T, u128) {
        let mut sum = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.begun.fetch_xor(HOT, Ordering::AcqRel);
        let cold = usize::from(before & HOT != 0);
        let count = before & !HOT;
        let (cold, hot) = (&self.both[cold], &self.both[1 - cold]);
        while cold.ended.load(Ordering::Acquire) != count {
            hint::spin_loop();
            std::thread::yield_now();
        }
        *sum += u128::from(cold.sum.swap(0, Ordering::Relaxed));
        let taken = take(&cold.buckets, &hot.buckets);
        cold.ended.store(0, Ordering::Relaxed);
        hot.ended.fetch_add(count, Ordering::Release);
        (taken, *sum)
    }
}
