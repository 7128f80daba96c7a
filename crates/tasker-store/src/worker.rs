//! Workers as they register themselves.

use std::time::Duration;

use serde::Serialize;
use tasker_core::{HandlerName, QueueName, Timestamp, WorkerId};

/// A worker that said it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkerRecord {
    /// This incarnation of it.
    pub id: WorkerId,
    /// A name for people: host and process.
    pub name: String,
    /// The queues it serves.
    pub queues: Vec<QueueName>,
    /// The handlers it offers.
    pub handlers: Vec<HandlerName>,
    /// How many steps it runs at once.
    pub concurrency: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last said that it is there.
    pub seen_at: Timestamp,
    /// Whether it takes no new work because it is about to stop.
    pub draining: bool,
}

impl WorkerRecord {
    /// A worker that was not seen for so long is taken off the list.
    pub const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

    /// At most so many are taken off with one beat of another.
    pub const FORGOTTEN_AT_ONCE: u32 = 100;

    /// Whether it would take steps of this queue and handler.
    pub fn serves(&self, queue: &QueueName, handler: &HandlerName) -> bool {
        !self.draining && self.queues.contains(queue) && self.handlers.contains(handler)
    }
}
