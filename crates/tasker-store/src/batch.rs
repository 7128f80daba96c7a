//! Many requests as one batch: what an adapter writes in one transaction.

use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{LeaseKey, State, TaskId, WorkerId};

use crate::command::{Command, CommandError, Done};
use crate::error::StoreError;
use crate::submit::{NewTask, SubmitError, Submitted};
use crate::work::{ClaimRequest, Lease, Renewed, Settled, Settlement};

/// Requests to be applied in one transaction, kind by kind in the order of the fields.
#[derive(Debug, Default)]
pub struct Batch {
    /// Submissions; each is made as a whole or refused as a whole.
    pub submissions: Vec<Vec<NewTask>>,
    /// Commands.
    pub commands: Vec<Command>,
    /// Ends of attempts; no key occurs twice.
    pub settlements: Vec<Settlement>,
    /// Wishes to renew.
    pub renewals: Vec<Renewal>,
    /// Wishes to claim.
    pub claims: Vec<ClaimRequest>,
}

/// A worker's wish to keep leases.
#[derive(Debug)]
pub struct Renewal {
    /// The worker.
    pub worker: WorkerId,
    /// The leases.
    pub keys: Vec<LeaseKey>,
    /// How long they are to hold from now on.
    pub lease: Duration,
}

/// What became of a [`Batch`], field by field in the same order.
#[derive(Debug, Default)]
pub struct BatchReply {
    /// For each submission.
    pub submissions: Vec<Result<Vec<Submitted>, SubmitError>>,
    /// For each command.
    pub commands: Vec<Result<Done, CommandError>>,
    /// For each settlement.
    pub settled: Vec<Settled>,
    /// Tasks that ended, or were blocked, by a settlement: each once, in any order. Tasks are judged once all
    /// settlements of the batch are recorded.
    pub verdicts: Vec<(TaskId, State)>,
    /// Tasks whose beginning was recorded by a settlement, as the claim could not.
    pub started: Vec<TaskId>,
    /// For each renewal, for each of its keys.
    pub renewed: Vec<Vec<Renewed>>,
    /// For each claim.
    pub leases: Vec<Vec<Lease>>,
    /// How many steps may have become claimable by this batch and are left so: its own claims did not take
    /// them. Too many rather than too few.
    pub left_ready: u64,
}

/// What an adapter does with a batch.
#[async_trait]
pub trait BatchWriter: Send + Sync + 'static {
    /// Applies the whole batch in one transaction, or nothing of it.
    ///
    /// A request that is refused (a duplicate, an illegal command, a stale settlement) is answered in
    /// the reply and does not disturb the others.
    async fn commit(&self, batch: &Batch) -> Result<BatchReply, StoreError>;

    /// How many commits may be in flight at once.
    fn width(&self) -> usize {
        1
    }
}

impl Batch {
    /// How many rows the batch is about, roughly: what its commit costs.
    pub fn weight(&self) -> usize {
        let submitted: usize = self.submissions.iter().map(Vec::len).sum();
        let renewed: usize = self.renewals.iter().map(|renewal| renewal.keys.len()).sum();
        let claimed: usize = self.claims.iter().map(|claim| claim.capacity as usize).sum();
        submitted + self.commands.len() + self.settlements.len() + renewed + claimed
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.submissions.is_empty()
            && self.commands.is_empty()
            && self.settlements.is_empty()
            && self.renewals.is_empty()
            && self.claims.is_empty()
    }
}
