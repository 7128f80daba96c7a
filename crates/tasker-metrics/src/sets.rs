//! The series of one metric, by the labels they have.
//!
//! A metric that is declared has one set of labels. One that is only found, through a facade, may have several: to
//! Prometheus a label that is not there is one without a value.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::family::{Family, Handle};

/// A metric has at most so many sets of labels.
const MOST: usize = 32;

/// All series of one metric. Cheap to clone.
pub(crate) struct Sets<M>(Arc<Inner<M>>);

struct Inner<M> {
    limit: usize,
    make: Arc<dyn Fn() -> M + Send + Sync>,
    sets: RwLock<Vec<Set<M>>>,
}

struct Set<M> {
    labels: Vec<String>,
    family: Family<M>,
}

impl<M> Clone for Sets<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> fmt::Debug for Sets<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.read().iter().map(|set| &set.labels)).finish()
    }
}

impl<M: 'static> Sets<M> {
    pub(crate) fn new(limit: usize, make: impl Fn() -> M + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { limit, make: Arc::new(make), sets: RwLock::default() }))
    }

    /// The series with these labels, in this order.
    pub(crate) fn declared(&self, labels: &[String]) -> Family<M> {
        let mut sets = self.0.sets.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = sets.iter().find(|set| set.labels == labels) {
            return set.family.clone();
        }
        let family = self.family(labels.len());
        sets.push(Set { labels: labels.to_vec(), family: family.clone() });
        family
    }

    /// The series that has these labels and no others, whatever their order; `None` if there are too many sets.
    pub(crate) fn with(&self, pairs: &[(impl AsRef<str>, &str)]) -> Option<Handle<M>> {
        let find = |sets: &[Set<M>]| {
            sets.iter().find_map(|set| {
                let values = arranged(&set.labels, pairs)?;
                Some((set.family.clone(), values))
            })
        };
        if let Some((family, values)) = find(&self.read()) {
            return Some(family.with(&values));
        }
        let mut sets = self.0.sets.write().unwrap_or_else(PoisonError::into_inner);
        if find(&sets).is_none() {
            if sets.len() >= MOST {
                return None;
            }
            let mut labels: Vec<String> = pairs.iter().map(|(label, _)| label.as_ref().to_owned()).collect();
            labels.sort_unstable();
            sets.push(Set { family: self.family(labels.len()), labels });
        }
        let (family, values) = find(&sets)?;
        drop(sets);
        Some(family.with(&values))
    }

    /// Calls `visit` with every set of labels and its series.
    pub(crate) fn visit(&self, mut visit: impl FnMut(&[String], &Family<M>)) {
        for set in self.read().iter() {
            visit(&set.labels, &set.family);
        }
    }

    /// How often a value of a label was one too many.
    pub(crate) fn overflows(&self) -> u64 {
        self.read().iter().map(|set| set.family.overflows()).sum()
    }

    fn family(&self, labels: usize) -> Family<M> {
        let make = Arc::clone(&self.0.make);
        Family::new(labels, self.0.limit, move || make())
    }
}

impl<M> Sets<M> {
    fn read(&self) -> RwLockReadGuard<'_, Vec<Set<M>>> {
        self.0.sets.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The values in the order of the labels, if the pairs have these labels and no others.
fn arranged<'v>(labels: &[String], pairs: &[(impl AsRef<str>, &'v str)]) -> Option<Vec<&'v str>> {
    if labels.len() != pairs.len() {
        return None;
    }
    let value = |label: &String| {
        pairs.iter().find(|(other, _)| other.as_ref() == label.as_str()).map(|(_, value)| *value)
    };
    labels.iter().map(value).collect()
}
