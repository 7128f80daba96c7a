//! One batch at work: what can go together crosses to the database as one script.

use std::collections::HashSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row};
use tasker_core::{LeaseKey, State, TaskId, Timestamp};
use tasker_store::{BatchReply, ClaimRequest, Lease, PlanId, Renewed, Settled, Submitted};

use super::slots::Slots;
use super::submit::Obstacle;
use crate::failure::Failure;
use crate::record::Record;
use crate::session::Session;
use crate::sql::{Part, Parts};

/// A batch at work.
pub(super) struct Round<'a> {
    pub(super) session: &'a mut Session,
    pub(super) now: Timestamp,
    pub(super) reply: BatchReply,
    /// What is to be sent next.
    parts: Parts,
    pub(super) slots: Slots,
    /// What the database has against the tasks that are asked about.
    pub(super) obstacles: Vec<Obstacle>,
    /// The place in the batch of the first settlement in `slots`.
    pub(super) first_settlement: usize,
    /// For each key to be renewed in `slots`: which wish, and which key of it.
    pub(super) renewals: Vec<(usize, usize)>,
    /// The claim in `slots`, and its place in the batch.
    pub(super) claim: Option<(usize, &'a ClaimRequest)>,
}

impl<'a> Round<'a> {
    pub(super) fn begin(session: &'a mut Session, now: Timestamp) -> Self {
        let slots = Slots { now, ..Slots::default() };
        let mut parts = Parts::default();
        parts.add(Part::Begin);
        let reply = BatchReply::default();
        Self {
            session,
            now,
            reply,
            parts,
            slots,
            obstacles: Vec::new(),
            first_settlement: 0,
            renewals: Vec::new(),
            claim: None,
        }
    }

    /// Makes `part` the last of what is to be sent. If that cannot be, sends what is there first.
    pub(super) async fn put(&mut self, part: Part) -> Result<(), Failure> {
        if !self.parts.allows(part) {
            self.send().await?;
        }
        self.parts.add(part);
        Ok(())
    }

    /// Sends what is there, and sorts the answers.
    pub(super) async fn send(&mut self) -> Result<(), Failure> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let slots = std::mem::replace(&mut self.slots, Slots { now: self.now, ..Slots::default() });
        let script = std::mem::take(&mut self.parts).script();
        let arguments = slots.into_arguments().map_err(sqlx::Error::Encode)?;
        let rows = self.session.run(script, arguments).await?;
        for row in &rows {
            self.take_answer(row)?;
        }
        Ok(())
    }

    /// Sends the rest, makes it durable, and gives the reply.
    pub(super) async fn commit(mut self) -> Result<BatchReply, Failure> {
        self.put(Part::Commit).await?;
        self.send().await?;
        Ok(self.reply)
    }

    /// An answer is known by the name of its first column.
    fn take_answer(&mut self, row: &SqliteRow) -> Result<(), Failure> {
        match row.column(0).name() {
            "obstacle" => self.take_obstacle(row)?,
            "opened" => self.reply.left_ready += u64::from(Record::new(row, "steps").count("opened")?),
            "settled" => {
                let row = Record::new(row, "steps");
                self.take_settled(row.json("settled")?);
                self.reply.verdicts.extend(row.json::<Vec<(TaskId, State)>>("verdicts")?);
                self.reply.left_ready += u64::from(row.count("opened")?);
            }
            "renewed" => self.take_renewed(Record::new(row, "steps").json("renewed")?),
            "leased" => self.take_leases(Record::new(row, "steps").json("leased")?),
            other => unreachable!("invariant: every answer has a reader, but {other:?} has none"),
        }
        Ok(())
    }

    fn take_settled(&mut self, settled: Vec<(usize, State, Option<i64>)>) {
        for (place, state, ready_at) in settled {
            if let Some(settled) = self.reply.settled.get_mut(self.first_settlement + place) {
                *settled = Settled::Recorded { state, ready_at: ready_at.map(Timestamp::from_micros) };
            }
        }
    }

    fn take_renewed(&mut self, renewed: Vec<(usize, i64)>) {
        for (place, until) in renewed {
            let place = self.renewals.get(place);
            let renewed = place.and_then(|(wish, key)| self.reply.renewed.get_mut(*wish)?.get_mut(*key));
            if let Some(renewed) = renewed {
                *renewed = Renewed::Until(Timestamp::from_micros(until));
            }
        }
    }

    fn take_leases(&mut self, mut leased: Vec<Leased>) {
        self.take_from_ready(&leased);
        let Some((place, claim)) = self.claim else { return };
        let Some(leases) = self.reply.leases.get_mut(place) else { return };
        leased.sort_unstable();
        let (claimed_at, until) = (self.now, self.now.plus(claim.lease));
        let mut started: HashSet<TaskId> = HashSet::new();
        leases.extend(leased.into_iter().map(
            |(_, task, ordinal, attempt, plan, retry_limit, _, ready_at, was_pending)| Lease {
                key: LeaseKey { step: task.step(ordinal), attempt },
                plan: PlanId(plan),
                worker: claim.worker,
                claimed_at,
                until,
                retry_limit,
                ready_at: Timestamp::from_micros(ready_at),
                starts_task: was_pending != 0 && started.insert(task),
            },
        ));
    }

    /// What this batch made ready and has claimed is left to nobody. Of settlements that went in several scripts
    /// only those of the last are known.
    fn take_from_ready(&mut self, leased: &[Leased]) {
        let submitted: HashSet<TaskId> =
            self.reply.submissions.iter().flatten().flatten().filter_map(created).collect();
        let settles = !self.reply.settled.is_empty();
        let is_own = |(_, task, _, _, _, _, was_settled, _, _): &&Leased| {
            submitted.contains(task) || (settles && *was_settled != 0)
        };
        let own = leased.iter().filter(is_own).count() as u64;
        self.reply.left_ready = self.reply.left_ready.saturating_sub(own);
    }
}

fn created(submitted: &Submitted) -> Option<TaskId> {
    match submitted {
        Submitted::Created(id) => Some(*id),
        Submitted::Existing(_) => None,
    }
}

/// A lease as `queries/batches/claim.sql` answers: its place, task, ordinal, attempt, plan and retry limit, whether a
/// settlement made it ready, since when it is, and whether its task had not begun.
type Leased = (usize, TaskId, u32, u32, i64, u32, u8, i64, u8);
