//! Who takes events, as the rest of the crate sees them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::wire::Notice;

/// Takes events. Repetitions are possible: an attempt may be dropped at any time, and is made again.
#[async_trait]
pub(crate) trait Receiver: Send + Sync {
    /// Makes one attempt to hand over events, all or none of them.
    async fn take(&self, notices: &[Arc<Notice>]) -> Verdict;

    /// In which manner it takes them.
    fn manner(&self) -> Manner;
}

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Taken, for good.
    Taken,
    /// Refused, and would be again.
    Refused(String),
    /// Not taken; it may be later.
    NotYet {
        /// What went wrong, without secrets.
        why: String,
        /// How long the receiver wants to be left alone, if it says so.
        after: Option<Duration>,
    },
}

impl Verdict {
    /// Not taken, and nobody says when it may be.
    pub(crate) fn not_yet(why: impl Into<String>) -> Self {
        Self::NotYet { why: why.into(), after: None }
    }
}

/// In which manner a receiver takes events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// How many attempts at the same time.
    pub(crate) in_flight: usize,
    /// How many events in one attempt.
    pub(crate) batch: usize,
    /// What comes one after another.
    pub(crate) order: Order,
}

/// What comes one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The events of one task; those of different tasks come as they can.
    OfEachTask,
    /// All events.
    OfAll,
}
