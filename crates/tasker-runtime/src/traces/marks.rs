//! Tasks that are remembered until they end.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use tasker_core::TaskId;

/// Tasks that are remembered until they end, in bounded memory: of those that end in another process the oldest are
/// forgotten.
#[derive(Debug)]
pub(super) struct Marks {
    generations: Mutex<Generations>,
    /// How many a generation holds.
    size: usize,
}

/// When the young ones are full they become the old ones, and those are forgotten.
#[derive(Debug, Default)]
struct Generations {
    young: HashSet<TaskId>,
    old: HashSet<TaskId>,
}

impl Marks {
    /// None yet; the last `size` are never forgotten.
    pub(super) fn new(size: usize) -> Self {
        Self { generations: Mutex::default(), size }
    }

    /// Remembers a task.
    pub(super) fn put(&self, task: TaskId) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= self.size && !generations.young.contains(&task) {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(task);
    }

    /// Whether a task is remembered.
    pub(super) fn has(&self, task: TaskId) -> bool {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.contains(&task) || generations.old.contains(&task)
    }

    /// Forgets a task; says whether it was remembered.
    pub(super) fn take(&self, task: TaskId) -> bool {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let was_young = generations.young.remove(&task);
        generations.old.remove(&task) || was_young
    }
}

#[cfg(test)]
mod tests {
    use tasker_core::Timestamp;

    use super::*;

    fn task(number: u32) -> TaskId {
        TaskId::new(Timestamp::from_micros(1_790_000_000_000_000), u128::from(number) << 20)
    }

    #[test]
    fn a_task_is_remembered_once_however_often_it_is_put_in() {
        let marks = Marks::new(10);
        marks.put(task(1));
        marks.put(task(1));
        assert!(marks.has(task(1)) && !marks.has(task(2)));
        assert!(marks.take(task(1)));
        assert!(!marks.take(task(1)));
    }

    #[test]
    fn the_last_are_remembered_and_the_oldest_forgotten() {
        let marks = Marks::new(10);
        for number in 1..=100 {
            marks.put(task(number));
        }
        assert!((91..=100).all(|number| marks.take(task(number))));
        assert!((1..=80).all(|number| !marks.take(task(number))));
    }

    #[test]
    fn a_task_that_is_put_in_again_is_among_the_last() {
        let marks = Marks::new(2);
        for number in [1, 2, 3, 1, 4] {
            marks.put(task(number));
        }
        assert!(marks.take(task(1)));
        assert!(!marks.take(task(1)));
    }
}
