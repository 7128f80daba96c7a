//! Counters.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what happens, in parts of the [`Unit`](crate::Unit); never goes down.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// So many more.
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// There have been at least so many: for what somebody else counts.
    #[inline]
    pub fn raise_to(&self, total: u64) {
        self.0.fetch_max(total, Ordering::Relaxed);
    }

    /// How many there have been.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
