//! What a runner has done.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use serde::Serialize;
use tasker_store::Verdict;

/// What a runner has done so far.
#[derive(Debug)]
pub struct Counters {
    capacity: u32,
    busy: AtomicU32,
    completed: AtomicU64,
    retried: AtomicU64,
    failed: AtomicU64,
    snoozed: AtomicU64,
    stale: AtomicU64,
    lost: AtomicU64,
    unsettled: AtomicU64,
}

/// What a runner has done, at one moment or in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RunnerReport {
    /// How many attempts may be made at once.
    pub capacity: u32,
    /// How many are being made.
    pub busy: u32,
    /// Attempts that were done.
    pub completed: u64,
    /// Attempts that failed and may be made again, if attempts are left.
    pub retried: u64,
    /// Attempts that failed for good.
    pub failed: u64,
    /// Attempts that asked to be made later.
    pub snoozed: u64,
    /// Attempts whose end came too late to be recorded.
    pub stale: u64,
    /// Attempts given up because their lease was lost.
    pub lost: u64,
    /// Attempts whose end could not be recorded before the runner had to stop.
    pub unsettled: u64,
}

impl RunnerReport {
    /// Attempts whose end was recorded.
    pub fn attempts(&self) -> u64 {
        self.completed + self.retried + self.failed + self.snoozed
    }
}

impl Counters {
    pub(super) fn of(capacity: u32) -> Self {
        Self {
            capacity,
            busy: AtomicU32::default(),
            completed: AtomicU64::default(),
            retried: AtomicU64::default(),
            failed: AtomicU64::default(),
            snoozed: AtomicU64::default(),
            stale: AtomicU64::default(),
            lost: AtomicU64::default(),
            unsettled: AtomicU64::default(),
        }
    }

    /// All of them. Each is true by itself; together they may be from slightly different moments.
    pub fn snapshot(&self) -> RunnerReport {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RunnerReport {
            capacity: self.capacity,
            busy: self.busy.load(Ordering::Relaxed),
            completed: read(&self.completed),
            retried: read(&self.retried),
            failed: read(&self.failed),
            snoozed: read(&self.snoozed),
            stale: read(&self.stale),
            lost: read(&self.lost),
            unsettled: read(&self.unsettled),
        }
    }

    pub(super) fn busy_is(&self, busy: u32) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    pub(super) fn recorded(&self, verdict: &Verdict) {
        let counter = match verdict {
            Verdict::Complete { .. } => &self.completed,
            Verdict::Retry { .. } => &self.retried,
            Verdict::Fail { .. } => &self.failed,
            Verdict::Snooze { .. } => &self.snoozed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unsettled(&self, count: usize) {
        self.unsettled.fetch_add(count as u64, Ordering::Relaxed);
    }
}
