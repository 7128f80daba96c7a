//! Order: what must come one after another waits in one lane.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tasker_core::TaskId;

use crate::receiver::Order;
use crate::wire::Notice;

/// What must come one after another: the events of one task, or all.
pub(crate) type Lane = Option<TaskId>;

/// Events that wait for their turn. At most one batch of a lane is out at a time; lanes take turns.
pub(crate) struct Lanes {
    order: Order,
    waiting: HashMap<Lane, VecDeque<Arc<Notice>>>,
    ready: VecDeque<Lane>,
}

impl Lanes {
    pub(crate) fn new(order: Order) -> Self {
        Self { order, waiting: HashMap::new(), ready: VecDeque::new() }
    }

    /// Puts an event at the end of its lane.
    pub(crate) fn push(&mut self, notice: Notice) {
        let lane = match self.order {
            Order::OfEachTask => Some(notice.task),
            Order::OfAll => None,
        };
        let queue = self.waiting.entry(lane).or_insert_with(|| {
            self.ready.push_back(lane);
            VecDeque::new()
        });
        queue.push_back(Arc::new(notice));
    }

    /// At most `most` events of the lane whose turn it is. The lane waits until they are given [`back`](Self::back).
    pub(crate) fn next(&mut self, most: usize) -> Option<(Lane, Vec<Arc<Notice>>)> {
        let lane = self.ready.pop_front()?;
        let queue = self.waiting.get_mut(&lane)?;
        Some((lane, queue.drain(..most.min(queue.len())).collect()))
    }

    /// Says that what was out of a lane is taken.
    pub(crate) fn back(&mut self, lane: Lane) {
        match self.waiting.get(&lane) {
            Some(queue) if queue.is_empty() => drop(self.waiting.remove(&lane)),
            Some(_) => self.ready.push_back(lane),
            None => {}
        }
    }
}
