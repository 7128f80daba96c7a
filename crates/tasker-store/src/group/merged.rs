//! Several requests as one batch, and its reply taken apart again.

use std::collections::{HashMap, HashSet};

use tasker_core::{LeaseKey, State, TaskId};

use crate::batch::{Batch, BatchReply};
use crate::work::Settled;

/// Several batches as one, with what is needed to take the reply apart again.
pub(super) struct Merged {
    pub(super) batch: Batch,
    shares: Vec<Share>,
}

/// How much of each field came from one caller.
struct Share {
    submissions: usize,
    commands: usize,
    /// For each settlement: its task, or nothing if the caller had settled the same attempt before in the
    /// same request.
    settlements: Vec<Option<TaskId>>,
    renewals: usize,
    claims: usize,
}

impl Share {
    fn settled_tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.settlements.iter().flatten().copied()
    }
}

impl Merged {
    /// One batch of `parts`, which settle no attempt in common.
    pub(super) fn of(parts: impl Iterator<Item = Batch>) -> Self {
        let mut merged = Self { batch: Batch::default(), shares: Vec::new() };
        parts.for_each(|part| merged.add(part));
        merged
    }

    fn add(&mut self, part: Batch) {
        let mut keys: HashSet<LeaseKey> = HashSet::with_capacity(part.settlements.len());
        let mut settlements = Vec::with_capacity(part.settlements.len());
        for settlement in part.settlements {
            let is_first = keys.insert(settlement.key);
            settlements.push(is_first.then(|| settlement.key.step.task()));
            if is_first {
                self.batch.settlements.push(settlement);
            }
        }
        self.shares.push(Share {
            submissions: part.submissions.len(),
            commands: part.commands.len(),
            settlements,
            renewals: part.renewals.len(),
            claims: part.claims.len(),
        });
        self.batch.submissions.extend(part.submissions);
        self.batch.commands.extend(part.commands);
        self.batch.renewals.extend(part.renewals);
        self.batch.claims.extend(part.claims);
    }

    /// Hands each caller its part of the reply.
    pub(super) fn split(self, reply: BatchReply) -> Vec<BatchReply> {
        let mut submissions = reply.submissions.into_iter();
        let mut commands = reply.commands.into_iter();
        let mut settled = reply.settled.into_iter();
        let mut renewed = reply.renewed.into_iter();
        let mut leases = reply.leases.into_iter();
        let mut verdicts: HashMap<TaskId, State> = reply.verdicts.into_iter().collect();
        let mut started: HashSet<TaskId> = reply.started.into_iter().collect();
        let mut left_ready = reply.left_ready;
        let parts = self.shares.into_iter().map(|share| {
            let settled: Vec<_> = share
                .settlements
                .iter()
                .map(|task| task.and_then(|_| settled.next()).unwrap_or(Settled::Stale))
                .collect();
            let recorded = share.settlements.iter().zip(&settled);
            let recorded =
                recorded.filter_map(|(task, settled)| if *settled == Settled::Stale { None } else { *task });
            let recorded: Vec<TaskId> = recorded.collect();
            BatchReply {
                submissions: submissions.by_ref().take(share.submissions).collect(),
                commands: commands.by_ref().take(share.commands).collect(),
                started: recorded.iter().copied().filter(|task| started.remove(task)).collect(),
                verdicts: recorded.iter().filter_map(|task| Some((*task, verdicts.remove(task)?))).collect(),
                settled,
                renewed: renewed.by_ref().take(share.renewals).collect(),
                leases: leases.by_ref().take(share.claims).collect(),
                left_ready: std::mem::take(&mut left_ready),
            }
        });
        parts.collect()
    }

    /// The batch of each caller by itself.
    pub(super) fn apart(self) -> Vec<Self> {
        let mut submissions = self.batch.submissions.into_iter();
        let mut commands = self.batch.commands.into_iter();
        let mut settlements = self.batch.settlements.into_iter();
        let mut renewals = self.batch.renewals.into_iter();
        let mut claims = self.batch.claims.into_iter();
        let parts = self.shares.into_iter().map(|share| {
            let batch = Batch {
                submissions: submissions.by_ref().take(share.submissions).collect(),
                commands: commands.by_ref().take(share.commands).collect(),
                settlements: settlements.by_ref().take(share.settled_tasks().count()).collect(),
                renewals: renewals.by_ref().take(share.renewals).collect(),
                claims: claims.by_ref().take(share.claims).collect(),
            };
            Self { batch, shares: vec![share] }
        });
        parts.collect()
    }
}
