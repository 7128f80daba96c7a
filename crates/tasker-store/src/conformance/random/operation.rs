//! What may be asked of a store, as data that can be asked twice.

use std::time::Duration;

use serde_json::Value;
use tasker_core::{LeaseKey, TaskId, Timestamp, WorkerId};

use crate::command::Command;
use crate::record::Retention;
use crate::submit::Identity;
use crate::work::{ClaimRequest, Guard, Verdict};

/// One request.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Submit(Vec<Draft>),
    Claim(ClaimRequest),
    Settle(Vec<Settling>, Option<ClaimRequest>),
    Renew(WorkerId, Vec<LeaseKey>, Duration),
    /// Time passes.
    Advance(Duration),
    /// Expired leases are settled, at most so many, with this verdict.
    Rescue(u32, Verdict),
    Command(Command),
    Prune(Retention),
}

/// A task to be made; which plan that is, each store says for itself.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) id: TaskId,
    /// The place of the template among those of the world.
    pub(super) template: usize,
    pub(super) priority: i32,
    pub(super) context: Value,
    pub(super) tags: Vec<String>,
    pub(super) requested_at: Timestamp,
    pub(super) identity: Option<Identity>,
}

/// A settlement that can be made again.
#[derive(Debug, Clone)]
pub(super) struct Settling {
    pub(super) key: LeaseKey,
    pub(super) guard: Guard,
    pub(super) verdict: Verdict,
}
