//! The bounds of buckets.

use std::sync::Arc;

use crate::description::Unit;

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
    pub(crate) fn bucket(&self, parts: u64) -> usize {
        self.0.partition_point(|bound| *bound < parts)
    }

    /// The bounds that both have.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().copied().filter(|bound| other.0.binary_search(bound).is_ok()).collect())
    }
}
