//! A bounded memory of what never changes.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Remembers values; once it is full, the one that came first is forgotten.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    entries: Mutex<Entries<K, V>>,
    capacity: usize,
}

#[derive(Debug)]
struct Entries<K, V> {
    values: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        let entries = Entries { values: HashMap::new(), order: VecDeque::new() };
        Self { entries: Mutex::new(entries), capacity }
    }

    pub(crate) fn get(&self, key: K) -> Option<V> {
        self.lock().values.get(&key).cloned()
    }

    pub(crate) fn put(&self, key: K, value: V) {
        let mut entries = self.lock();
        if entries.values.insert(key, value).is_none() {
            entries.order.push_back(key);
        }
        if entries.order.len() > self.capacity
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.values.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let cache = Cache::new(2);
        for number in [1, 2, 1, 3] {
            cache.put(number, number * 10);
        }
        assert_eq!([cache.get(1), cache.get(2), cache.get(3)], [None, Some(20), Some(30)]);
    }
}
