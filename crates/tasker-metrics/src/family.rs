//! All series of one metric.

use std::fmt;
use std::hash::BuildHasher;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use hashbrown::{DefaultHashBuilder, HashSet, HashTable};

use crate::labels::{Labels, SEPARATOR};

/// The value of a label in place of those that are too many.
pub const OVERFLOW: &str = "__other__";

const SHARDS: usize = 16;
/// A metric has at most so many series for each value that a label may have: 100,000 if nothing else is said.
const SERIES_PER_VALUE: usize = 500;
/// A key of so many bytes is put together without an allocation.
const SHORT: usize = 192;

/// One series: use it as the [`Counter`](crate::Counter), [`Gauge`](crate::Gauge) or [`Histogram`](crate::Histogram)
/// that it holds. Cheap to clone.
pub struct Handle<M>(Arc<Series<M>>);

pub(crate) struct Series<M> {
    labels: Labels,
    pub(crate) metric: M,
}

type Shard<M> = RwLock<HashTable<Handle<M>>>;

/// All series of one metric, by the values of their labels. Cheap to clone.
pub struct Family<M>(Arc<Inner<M>>);

impl<M> Clone for Family<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Handle<M> {
    pub(crate) fn into_series(self) -> Arc<Series<M>> {
        self.0
    }
}

impl<M> Deref for Handle<M> {
    type Target = M;

    #[inline]
    fn deref(&self) -> &M {
        &self.0.metric
    }
}

impl<M: fmt::Debug> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.0.labels).field(&self.0.metric).finish()
    }
}

struct Inner<M> {
    labels: usize,
    limit: usize,
    make: Box<dyn Fn() -> M + Send + Sync>,
    hasher: DefaultHashBuilder,
    shards: [Shard<M>; SHARDS],
    /// All series by their labels, as far as they were asked for: none ever goes away.
    sorted: Mutex<Vec<Handle<M>>>,
    /// The values that each label has taken, by their hashes: of two with one hash both are taken for known.
    taken: Mutex<Vec<HashSet<u64>>>,
    overflows: AtomicU64,
    /// How many series were made.
    made: AtomicUsize,
}

impl<M> fmt::Debug for Family<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").field("labels", &self.0.labels).finish_non_exhaustive()
    }
}

impl<M> Family<M> {
    pub(crate) fn new(labels: usize, limit: usize, make: impl Fn() -> M + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            labels,
            limit,
            make: Box::new(make),
            hasher: DefaultHashBuilder::default(),
            shards: Default::default(),
            sorted: Mutex::default(),
            taken: Mutex::new(vec![HashSet::new(); labels]),
            overflows: AtomicU64::new(0),
            made: AtomicUsize::new(0),
        }))
    }

    /// The series with these values of the labels, made if there is none. Keep it: finding it costs more than using it.
    ///
    /// A value that is one too many is counted, and [`OVERFLOW`] stands in its place; the other labels keep theirs. If
    /// there are 500 times as many series as a label may have values, it stands in place of all that would make another.
    ///
    /// # Panics
    ///
    /// If there are not as many values as labels: that is a mistake in the program.
    pub fn with(&self, values: &[&str]) -> Handle<M> {
        assert_eq!(values.len(), self.0.labels, "as many values as labels");
        with_key(values, |key| match self.0.find(key) {
            Some(series) => series,
            None => self.0.admit(values),
        })
    }

    /// How often a value was one too many.
    pub fn overflows(&self) -> u64 {
        self.0.overflows.load(Ordering::Relaxed)
    }

    /// How many series there are, at least.
    pub(crate) fn len(&self) -> usize {
        self.0.made.load(Ordering::Relaxed)
    }

    /// Calls `visit` with every series, in the order of their labels.
    pub(crate) fn visit(&self, mut visit: impl FnMut(&Labels, &M)) {
        let mut sorted = self.0.sorted.lock().unwrap_or_else(PoisonError::into_inner);
        let made = self.0.shards.iter().map(|shard| read(shard).len()).sum::<usize>();
        if sorted.len() != made {
            sorted.clear();
            sorted.reserve_exact(made);
            for shard in &self.0.shards {
                sorted.extend(read(shard).iter().cloned());
            }
            sorted.sort_unstable_by(|one, other| one.0.labels.cmp(&other.0.labels));
        }
        for series in &*sorted {
            visit(&series.0.labels, &series.0.metric);
        }
    }
}

fn read<M>(shard: &Shard<M>) -> RwLockReadGuard<'_, HashTable<Handle<M>>> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

impl<M> Inner<M> {
    fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    fn shard(&self, hash: u64) -> &Shard<M> {
        // Bits that the table makes nothing of.
        let place = (hash >> 48) as usize % SHARDS;
        &self.shards[place]
    }

    fn find(&self, key: &[u8]) -> Option<Handle<M>> {
        let hash = self.hash(key);
        read(self.shard(hash)).find(hash, |series| series.0.labels.key() == key).cloned()
    }

    fn make(&self, key: &[u8]) -> Handle<M> {
        let hash = self.hash(key);
        let mut shard = self.shard(hash).write().unwrap_or_else(PoisonError::into_inner);
        let is_it = |series: &Handle<M>| series.0.labels.key() == key;
        let entry = shard.entry(hash, is_it, |series| self.hash(series.0.labels.key()));
        let make = || {
            self.made.fetch_add(1, Ordering::Relaxed);
            Handle(Arc::new(Series { labels: Labels::of_key(key), metric: (self.make)() }))
        };
        entry.or_insert_with(make).get().clone()
    }

    /// Makes a series, with [`OVERFLOW`] for values that are too many.
    fn admit(&self, values: &[&str]) -> Handle<M> {
        if self.made.load(Ordering::Relaxed) >= self.limit.saturating_mul(SERIES_PER_VALUE) {
            self.overflows.fetch_add(1, Ordering::Relaxed);
            return with_key(&vec![OVERFLOW; values.len()], |key| self.make(key));
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut admitted = Vec::with_capacity(values.len());
        for (taken, value) in taken.iter_mut().zip(values) {
            let hash = self.hash(value.as_bytes());
            let is_known = *value == OVERFLOW || taken.contains(&hash);
            if !is_known && taken.len() >= self.limit {
                self.overflows.fetch_add(1, Ordering::Relaxed);
                admitted.push(OVERFLOW);
                continue;
            }
            if !is_known {
                taken.insert(hash);
            }
            admitted.push(*value);
        }
        drop(taken);
        with_key(&admitted, |key| self.make(key))
    }
}

/// Puts the values of labels together.
fn with_key<T>(values: &[&str], use_it: impl FnOnce(&[u8]) -> T) -> T {
    let length = values.iter().map(|value| value.len() + 1).sum::<usize>().saturating_sub(1);
    let mut short = [SEPARATOR; SHORT];
    let mut long = Vec::new();
    let key = match short.get_mut(..length) {
        Some(key) => key,
        None => {
            long.resize(length, SEPARATOR);
            &mut long[..]
        }
    };
    let mut from = 0;
    for value in values {
        key[from..from + value.len()].copy_from_slice(value.as_bytes());
        from += value.len() + 1;
    }
    use_it(key)
}
