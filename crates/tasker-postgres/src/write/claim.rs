//! Claims.

use std::collections::HashSet;

use tasker_core::{HandlerName, LeaseKey, QueueName, TaskId, Timestamp, WorkerId};
use tasker_store::{ClaimRequest, Inconsistency, Lease, PlanId};

use super::micros;
use crate::literal::{List, Literal, NulInText};
use crate::row::{Row, Words};
use crate::statement::{Script, WORK_CLAIM};

pub(super) fn add(script: &mut Script, claim: &ClaimRequest, now: Option<i64>) -> Result<(), NulInText> {
    let present: &[&dyn Literal] = &[&now];
    with_arguments(claim, |arguments| script.add(WORK_CLAIM, &[present, arguments].concat()))?;
    Ok(())
}

/// Hands over what a claim asks for, as arguments.
pub(super) fn with_arguments<T>(claim: &ClaimRequest, take: impl FnOnce(&[&dyn Literal]) -> T) -> T {
    let queues: Vec<_> = claim.queues.iter().map(QueueName::as_str).collect();
    let handlers: Vec<_> = claim.handlers.iter().map(HandlerName::as_str).collect();
    let worker = claim.worker.as_uuid();
    let capacity = i32::try_from(claim.capacity).unwrap_or(i32::MAX);
    let (lease, turn) = (micros(claim.lease), claim.turn);
    let task = claim.task.map(TaskId::as_uuid);
    take(&[&worker, &List(&queues), &List(&handlers), &capacity, &lease, &turn, &task])
}

/// A row with all leases, or nothing; and how many of them are on steps that the batch itself wrote before.
pub(super) fn read(worker: WorkerId, rows: &[Row]) -> Result<(Vec<Lease>, u64), Inconsistency> {
    let Some(row) = rows.first().map(|row| row.of("steps")) else { return Ok((Vec::new(), 0)) };
    let Some(text) = row.maybe_text("leases")? else { return Ok((Vec::new(), 0)) };
    let (claimed_at, until) = (row.time("claimed_at")?, row.time("until")?);
    let mut opened = 0;
    let mut begun: HashSet<TaskId> = HashSet::new();
    let lease = |text: &str| {
        let mut words = Words::of(row, "leases", text);
        let task = words.task()?;
        let step = task.step(words.next()?);
        let key = LeaseKey { step, attempt: words.next()? };
        let retry_limit = words.next()?;
        let plan = PlanId(words.next()?);
        opened += words.next::<u64>()?;
        let ready_at = Timestamp::from_micros(words.next()?);
        let starts_task = words.next::<u8>()? != 0 && begun.insert(task);
        Ok(Lease { key, plan, worker, claimed_at, until, retry_limit, ready_at, starts_task })
    };
    let leases = text.split(',').map(lease).collect::<Result<_, _>>()?;
    Ok((leases, opened))
}
