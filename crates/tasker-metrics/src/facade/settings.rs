//! What a program says of metrics that it does not declare.

use std::collections::BTreeMap;

use crate::bounds::Bounds;
use crate::description::{Merge, Unit};

use super::names;

/// What a program says of metrics that come through the facade.
#[derive(Debug, Clone)]
pub struct FacadeSettings {
    pub(super) limit: usize,
    pub(super) names: usize,
    bounds: BTreeMap<String, Vec<f64>>,
    merges: BTreeMap<String, Merge>,
}

impl Default for FacadeSettings {
    fn default() -> Self {
        Self { limit: 200, names: 1_000, bounds: BTreeMap::new(), merges: BTreeMap::new() }
    }
}

impl FacadeSettings {
    /// No label takes more values than this (200).
    #[must_use]
    pub fn limit(mut self, values: usize) -> Self {
        self.limit = values;
        self
    }

    /// There are no more names of each kind than this (1,000); what has a further one is refused.
    #[must_use]
    pub fn names(mut self, names: usize) -> Self {
        self.names = names;
        self
    }

    /// The histogram of this name has these bounds, in the unit that its name ends with: seconds, bytes, or as they are.
    ///
    /// Others have [`Bounds::of_work`], those of bytes [`Bounds::of_sizes`].
    #[must_use]
    pub fn bounds(mut self, name: impl Into<String>, bounds: &[f64]) -> Self {
        self.bounds.insert(name.into(), bounds.to_vec());
        self
    }

    /// The gauges of this name in several processes become one in this way. Others are added.
    #[must_use]
    pub fn merge(mut self, name: impl Into<String>, merge: Merge) -> Self {
        self.merges.insert(name.into(), merge);
        self
    }

    pub(super) fn merge_of(&self, name: &str) -> Merge {
        self.merges.get(name).copied().unwrap_or(Merge::Sum)
    }

    pub(super) fn bounds_of(&self, name: &str) -> Bounds {
        let unit = names::unit_of_histogram(name);
        match (self.bounds.get(name), unit) {
            (Some(bounds), _) => Bounds::in_units(unit, bounds),
            (None, Unit::Bytes) => Bounds::of_sizes(),
            (None, Unit::Seconds) => Bounds::of_work(),
            (None, Unit::One | Unit::Fraction) => {
                let bounds: Vec<u64> =
                    Bounds::of_work().as_parts().iter().map(|nanos| nanos / 1_000).collect();
                Bounds::new(&bounds)
            }
        }
    }
}
