//! The waist: leases, and how they are claimed, renewed and settled.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tasker_core::{Failure, HandlerName, LeaseKey, QueueName, State, TaskId, Timestamp, When, WorkerId};

use crate::template::PlanId;

/// What a worker wants to be given.
///
/// Steps are taken in order of priority; within a priority the lanes (one per namespace, queue and
/// handler) take turns, and within a lane the step that has been ready longest comes first. The leases come
/// in the order in which their steps were taken. Exactly:
///
/// - A lane is one namespace, queue, handler and priority, the priority being that of the step's template
///   plus that of the plan, saturating. Lanes are numbered from 1 in the order in which plans first needed
///   them, within a plan by ordinal, without gaps.
/// - Lanes come by priority, the highest first; then by `(number + turn) % 97`; then by number. One lane
///   is taken empty before the next.
/// - Within a lane steps come by `ready_at`, then by id, compared as bytes.
/// - Not taken is what is not ready yet, what is held because its task is paused, and what belongs to a
///   paused namespace.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// Who asks.
    pub worker: WorkerId,
    /// Only steps of these queues.
    pub queues: Arc<[QueueName]>,
    /// Only steps of these handlers.
    pub handlers: Arc<[HandlerName]>,
    /// At most so many.
    pub capacity: u32,
    /// How long the leases hold if they are not renewed. A lease of no time has run out at once; one that
    /// ends after the end of time ends with it, at `i64::MAX` microseconds.
    pub lease: Duration,
    /// Whose turn it is among lanes of equal priority: any number that changes from claim to claim.
    pub turn: u32,
    /// Only steps of this task, if one is named; the order is the same.
    pub task: Option<TaskId>,
}

/// The right of one worker to make one attempt.
///
/// A lease is not `Clone`, and settling consumes it: an attempt cannot be settled twice.
///
/// ```compile_fail
/// # fn twice(lease: tasker_store::Lease) {
/// let first = lease.complete(serde_json::Value::Null);
/// let second = lease.complete(serde_json::Value::Null); // error: use of moved value
/// # }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    /// The step and the attempt: the fence.
    pub key: LeaseKey,
    /// The plan of the task, which has the step's template.
    pub plan: PlanId,
    /// Who holds it.
    pub worker: WorkerId,
    /// When it was claimed, by the store's clock.
    pub claimed_at: Timestamp,
    /// Until when it holds, by the store's clock.
    pub until: Timestamp,
    /// The last attempt that may be made.
    pub retry_limit: u32,
    /// Since when the step could have been claimed.
    pub ready_at: Timestamp,
    /// Whether its task began with it: of the leases that start a task one says so, unless none could record it.
    pub starts_task: bool,
}

impl Lease {
    /// The work is done.
    pub fn complete(self, results: Value) -> Settlement {
        self.settle(Verdict::Complete { results })
    }

    /// The attempt failed; another may be made at `when`.
    pub fn retry(self, failure: Failure, when: When) -> Settlement {
        self.settle(Verdict::Retry { failure, when })
    }

    /// The attempt failed, and no other would help.
    pub fn fail(self, failure: Failure) -> Settlement {
        self.settle(Verdict::Fail { failure })
    }

    /// It is not time yet.
    pub fn snooze(self, when: When) -> Settlement {
        self.settle(Verdict::Snooze { when })
    }

    fn settle(self, verdict: Verdict) -> Settlement {
        Settlement { key: self.key, guard: Guard::Held { worker: self.worker }, verdict }
    }
}

/// The end of an attempt, as the store is asked to record it.
///
/// Of several with one key in one request only the first is looked at; the others are answered
/// [`Settled::Stale`].
#[derive(Debug)]
pub struct Settlement {
    /// The step and the attempt.
    pub key: LeaseKey,
    /// What must be true of the lease for the settlement to count.
    pub guard: Guard,
    /// How the attempt ended.
    pub verdict: Verdict,
}

/// What must be true of a lease for its settlement to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The worker still holds it. Its time may have run out, as long as nobody else settled it.
    Held {
        /// The worker.
        worker: WorkerId,
    },
    /// Its time has run out, which it has from `until` on: the worker is taken for dead. The record then
    /// says [`Cause::LeaseExpired`](crate::Cause::LeaseExpired), whatever the verdict.
    Expired,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The step is complete. Its failure, if an earlier attempt left one, is cleared.
    Complete {
        /// What it produced. Null is a value: it is read back as `Some(Value::Null)`.
        results: Value,
    },
    /// The step failed. If its attempt is below its retry limit, as that stands now, it may be claimed
    /// again from `when` on; a time that has passed is kept as it is.
    Retry {
        /// What went wrong.
        failure: Failure,
        /// When another attempt may be made.
        when: When,
    },
    /// The step failed for good.
    Fail {
        /// What went wrong.
        failure: Failure,
    },
    /// The step goes back to pending until `when`. Its retry limit grows by one, saturating, so that no
    /// attempt is lost by it. The failure of an earlier attempt stays.
    Snooze {
        /// When it may be claimed again.
        when: When,
    },
}

/// Ends of attempts, and the wish for new ones.
#[derive(Debug, Default)]
pub struct SettleRequest {
    /// What to settle.
    pub settlements: Vec<Settlement>,
    /// What to claim in the same commit.
    pub claim: Option<ClaimRequest>,
}

/// What became of a [`SettleRequest`].
#[derive(Debug, Default)]
pub struct SettleReply {
    /// For each settlement, in order, what became of it.
    pub settled: Vec<Settled>,
    /// Tasks that ended, or were blocked, by these settlements, in the order of the settlements: each once,
    /// even where callers at the same time settled steps of one task.
    pub verdicts: Vec<(TaskId, State)>,
    /// Tasks that began with these settlements, as their first claim could not record it.
    pub started: Vec<TaskId>,
    /// The new leases. A claim sees what the settlements made ready.
    pub leases: Vec<Lease>,
}

/// What became of one settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It counts: the step is now in this state.
    Recorded {
        /// The step's state.
        state: State,
        /// When it may be claimed again, if it may.
        ready_at: Option<Timestamp>,
    },
    /// The attempt had been settled, the lease is another's, or there is none: nothing was changed.
    Stale,
}

/// What became of the wish to renew one lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// It holds until then, by the store's clock.
    Until(Timestamp),
    /// It is gone: the step was cancelled, rescued or settled. The handler is to stop.
    Lost,
}

/// A lease whose time has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    /// The step and the attempt.
    pub key: LeaseKey,
    /// The plan of the task.
    pub plan: PlanId,
    /// Who held it.
    pub worker: WorkerId,
    /// When it ran out.
    pub until: Timestamp,
}
