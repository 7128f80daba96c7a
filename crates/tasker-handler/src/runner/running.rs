//! The attempts that are being made, and how long their leases hold by the worker's own clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tasker_core::{LeaseKey, Timestamp};
use tasker_store::Lease;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::plans::Prepared;
use crate::context::Progress;

/// The leases at work, by their keys.
#[derive(Default)]
pub(super) struct Running(HashMap<LeaseKey, Held>);

/// A lease at work.
pub(super) struct Held {
    pub(super) lease: Lease,
    /// The step it is for, once that is known.
    pub(super) prepared: Option<Arc<Prepared>>,
    /// When the request was sent that gave or renewed it: it holds for a lease's length from then on, at least.
    pub(super) since: Instant,
    pub(super) stage: Stage,
}

/// What is happening to it.
pub(super) enum Stage {
    /// Its plan or its inputs are being read.
    Reading,
    /// Its handler runs.
    AtWork(Work),
    /// Its handler was told to stop.
    Stopping {
        /// The handler.
        work: Work,
        /// Why.
        reason: StopReason,
        /// When it is dropped.
        until: Instant,
    },
}

/// A running handler.
pub(super) struct Work {
    pub(super) cancellation: CancellationToken,
    pub(super) progress: Progress,
    pub(super) task: AbortHandle,
}

/// Why a handler was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopReason {
    /// The lease is another's, or nobody's: what the handler answers does not count.
    Lost,
    /// The lease ran out and could not be renewed.
    RanOut,
    /// The worker shuts down.
    ShutDown,
}

impl Held {
    /// Notes until when the lease holds after a request sent at `since`. If that has not moved, the row was locked,
    /// and the lease was not renewed.
    pub(super) fn renewed(&mut self, until: Timestamp, since: Instant) {
        if until > self.lease.until {
            (self.lease.until, self.since) = (until, since);
        }
    }
}

impl Running {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn insert(&mut self, held: Held) {
        self.0.insert(held.lease.key, held);
    }

    pub(super) fn get_mut(&mut self, key: &LeaseKey) -> Option<&mut Held> {
        self.0.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: &LeaseKey) -> Option<Held> {
        self.0.remove(key)
    }

    /// The keys of the leases that were given or renewed so long ago.
    pub(super) fn held_for(&self, time: Duration, now: Instant) -> Vec<LeaseKey> {
        let old = self.0.values().filter(|held| now.duration_since(held.since) >= time);
        old.map(|held| held.lease.key).collect()
    }

    /// The keys of the leases whose handlers are to be dropped.
    pub(super) fn overstayed(&self, now: Instant) -> Vec<LeaseKey> {
        let over = |held: &&Held| matches!(held.stage, Stage::Stopping { until, .. } if until <= now);
        self.0.values().filter(over).map(|held| held.lease.key).collect()
    }

    /// The keys of all leases, in no order.
    pub(super) fn keys(&self) -> Vec<LeaseKey> {
        self.0.keys().copied().collect()
    }

    /// Tells a handler to stop, by `until`. One that was told before stops for the same reason as then, unless its
    /// lease is lost meanwhile.
    pub(super) fn stop(&mut self, key: &LeaseKey, reason: StopReason, until: Instant) {
        let Some(held) = self.0.get_mut(key) else { return };
        held.stage = match std::mem::replace(&mut held.stage, Stage::Reading) {
            Stage::Reading => Stage::Reading,
            Stage::AtWork(work) => {
                work.cancellation.cancel();
                Stage::Stopping { work, reason, until }
            }
            Stage::Stopping { work, until, reason: before } => {
                let reason = if reason == StopReason::Lost { reason } else { before };
                Stage::Stopping { work, reason, until }
            }
        };
    }
}

/// Handlers do not outlive the runner.
impl Drop for Running {
    fn drop(&mut self) {
        for held in self.0.values() {
            if let Stage::AtWork(work) | Stage::Stopping { work, .. } = &held.stage {
                work.cancellation.cancel();
                work.task.abort();
            }
        }
    }
}
