//! What waits for a subscriber: so much and no more, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::envelope::Envelope;

const PRIORITIES: usize = 4;

/// A queue that holds so many events. What is too much is left out: the oldest of those that matter least.
#[derive(Debug)]
pub(crate) struct Queue {
    capacity: usize,
    length: usize,
    next: u64,
    classes: [VecDeque<(u64, Arc<Envelope>)>; PRIORITIES],
}

impl Queue {
    pub(crate) fn of(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), length: 0, next: 0, classes: Default::default() }
    }

    /// Adds an event; says whether one had to be left out for it, be it this one.
    pub(crate) fn push(&mut self, event: Arc<Envelope>) -> bool {
        let class = event.priority as usize;
        let is_full = self.length >= self.capacity;
        if is_full {
            let Some(victims) = self.classes[..=class].iter_mut().find(|class| !class.is_empty()) else {
                return true;
            };
            victims.pop_front();
            self.length -= 1;
        }
        self.classes[class].push_back((self.next, event));
        self.next += 1;
        self.length += 1;
        is_full
    }

    /// The event that came first.
    pub(crate) fn pop(&mut self) -> Option<Arc<Envelope>> {
        let first = |class: &VecDeque<(u64, _)>| class.front().map_or(u64::MAX, |(number, _)| *number);
        let class = self.classes.iter_mut().min_by_key(|class| first(class))?;
        let (_, event) = class.pop_front()?;
        self.length -= 1;
        Some(event)
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tasker_core::Timestamp;

    use super::*;
    use crate::routes::Priority;

    fn event(name: &'static str, priority: Priority) -> Arc<Envelope> {
        let at = Timestamp::from_micros(0);
        Arc::new(Envelope { event: name.into(), id: None, at, task: None, priority, payload: Value::Null })
    }

    fn left(mut queue: Queue) -> Vec<String> {
        std::iter::from_fn(|| queue.pop()).map(|event| event.event.to_string()).collect()
    }

    #[test]
    fn events_leave_in_the_order_in_which_they_came() {
        let mut queue = Queue::of(9);
        for (name, priority) in [("a", Priority::Low), ("b", Priority::Critical), ("c", Priority::Normal)] {
            assert!(!queue.push(event(name, priority)));
        }
        assert_eq!(queue.len(), 3);
        assert_eq!(left(queue), ["a", "b", "c"]);
    }

    #[test]
    fn where_it_is_full_the_oldest_of_what_matters_least_is_left_out() {
        let mut queue = Queue::of(3);
        for (name, priority) in [("a", Priority::Normal), ("b", Priority::Low), ("c", Priority::Low)] {
            queue.push(event(name, priority));
        }
        assert!(queue.push(event("d", Priority::High)));
        assert!(queue.push(event("e", Priority::Critical)));
        assert_eq!(left(queue), ["a", "d", "e"]);
    }

    #[test]
    fn what_matters_more_is_never_left_out_for_what_matters_less() {
        let mut queue = Queue::of(2);
        queue.push(event("a", Priority::Critical));
        queue.push(event("b", Priority::High));
        assert!(queue.push(event("c", Priority::Normal)));
        assert_eq!(left(queue), ["a", "b"]);
    }
}
