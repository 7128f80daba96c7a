//! Order: what must come one after another waits in one lane.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use tasker_core::TaskId;

use crate::receiver::Order;
use crate::wire::Notice;

/// What must come one after another: the events of one task, or all.
pub(crate) type Lane = Option<TaskId>;

/// Events that wait for their turn. At most one batch of a lane is out at a time. The lane with the oldest event comes
/// first, so that what is taken leaves no gaps longer than what is out.
pub(crate) struct Lanes {
    order: Order,
    waiting: HashMap<Lane, VecDeque<Arc<Notice>>>,
    /// Lanes of which nothing is out, by the number of their first event.
    ready: BTreeMap<i64, Lane>,
}

impl Lanes {
    pub(crate) fn new(order: Order) -> Self {
        Self { order, waiting: HashMap::new(), ready: BTreeMap::new() }
    }

    /// Puts an event at the end of its lane.
    pub(crate) fn push(&mut self, notice: Notice) {
        let lane = match self.order {
            Order::OfEachTask => Some(notice.task),
            Order::OfAll => None,
        };
        let queue = self.waiting.entry(lane).or_insert_with(|| {
            self.ready.insert(notice.seq, lane);
            VecDeque::new()
        });
        queue.push_back(Arc::new(notice));
    }

    /// At most `most` events of the lane with the oldest event. The lane waits until they are given [`back`](Self::back).
    pub(crate) fn next(&mut self, most: usize) -> Option<(Lane, Vec<Arc<Notice>>)> {
        let (_, lane) = self.ready.pop_first()?;
        let queue = self.waiting.get_mut(&lane)?;
        Some((lane, queue.drain(..most.min(queue.len())).collect()))
    }

    /// Says that what was out of a lane is taken.
    pub(crate) fn back(&mut self, lane: Lane) {
        let Some(queue) = self.waiting.get(&lane) else { return };
        match queue.front() {
            Some(next) => drop(self.ready.insert(next.seq, lane)),
            None => drop(self.waiting.remove(&lane)),
        }
    }
}
