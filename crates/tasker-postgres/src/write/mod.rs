//! The writer: a batch of requests as one message, and its results as the reply.

mod claim;
mod command;
mod renew;
mod settle;
mod submit;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasker_core::Clock;
use tasker_store::{Batch, BatchReply, BatchWriter, ClaimRequest, Inconsistency, StoreError};

use crate::database::Database;
use crate::error::unstorable;
use crate::literal::NulInText;
use crate::row::Row;
use crate::statement::Script;

const ACTION: &str = "a batch of requests";

/// What `work/settle_and_claim` answers.
const SETTLED_AND_CLAIMED: &[&str] = &["settled", "verdicts", "made_ready", "leases", "claimed_at", "until"];

/// Writes batches to a database.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) database: Arc<Database>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) width: usize,
}

#[async_trait]
impl BatchWriter for Writer {
    async fn commit(&self, batch: &Batch) -> Result<BatchReply, StoreError> {
        let now = self.clock.as_ref().map(|clock| clock.now().as_micros());
        let script = script(batch, now).map_err(|error| unstorable(ACTION, error))?;
        let results = match script.statements() {
            0 => Vec::new(),
            _ => self.database.commit(ACTION, script).await?,
        };
        Ok(reply(batch, results)?)
    }

    fn width(&self) -> usize {
        self.width
    }
}

/// The statements of a batch. All that may wait stands first, in the same order in every batch: identities,
/// tasks being made, tasks that exist.
fn script(batch: &Batch, now: Option<i64>) -> Result<Script, NulInText> {
    let mut script = Script::default();
    if batch.submissions.iter().any(|tasks| !tasks.is_empty()) {
        submit::add(&mut script, &batch.submissions, now)?;
    }
    if !batch.commands.is_empty() {
        command::add_locks(&mut script, batch)?;
        batch.commands.iter().try_for_each(|command| command::add(&mut script, command, now))?;
    }
    let (joined, claims) = claims(batch);
    if !batch.settlements.is_empty() {
        settle::add(&mut script, &batch.settlements, joined, now)?;
    }
    batch.renewals.iter().try_for_each(|renewal| renew::add(&mut script, renewal, now))?;
    claims.iter().try_for_each(|claim| claim::add(&mut script, claim, now))?;
    Ok(script)
}

/// The claim that is made together with the settlements, and the others.
fn claims(batch: &Batch) -> (Option<&ClaimRequest>, &[ClaimRequest]) {
    match batch.claims.split_first() {
        Some((first, others)) if !batch.settlements.is_empty() && batch.renewals.is_empty() => {
            (Some(first), others)
        }
        _ => (None, &batch.claims),
    }
}

/// Reads the results in the order in which [`script`] asked for them.
fn reply(batch: &Batch, results: Vec<Vec<Row>>) -> Result<BatchReply, Inconsistency> {
    let mut results = results.into_iter();
    let mut next = || results.next().expect("invariant: every statement has a result");
    let mut reply = BatchReply::default();
    if batch.submissions.iter().any(|tasks| !tasks.is_empty()) {
        submit::read(&batch.submissions, &next(), &mut reply)?;
    } else {
        reply.submissions.extend(batch.submissions.iter().map(|_| Ok(Vec::new())));
    }
    if !batch.commands.is_empty() {
        next();
        for command in &batch.commands {
            command::read(command, &next(), &mut reply)?;
        }
    }
    let (joined, claims) = claims(batch);
    let mut claimed = Vec::with_capacity(batch.claims.len());
    if !batch.settlements.is_empty() {
        let rows = match joined {
            None => next(),
            Some(_) => next().into_iter().map(|row| row.packed(SETTLED_AND_CLAIMED)).collect(),
        };
        settle::read(batch.settlements.len(), &rows, &mut reply)?;
        claimed.extend(joined.map(|claim| (claim, rows)));
    }
    for _ in &batch.renewals {
        reply.renewed.push(renew::read(&next())?);
    }
    claimed.extend(claims.iter().map(|claim| (claim, next())));
    for (claim, rows) in claimed {
        let (leases, opened) = claim::read(claim.worker, &rows)?;
        reply.leases.push(leases);
        // A command may also write a step that was ready before.
        if batch.commands.is_empty() {
            reply.left_ready = reply.left_ready.saturating_sub(opened);
        }
    }
    Ok(reply)
}

/// A duration in microseconds, as long as can be said.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A number from 0 of something that fits the column.
pub(crate) fn ordinal(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
