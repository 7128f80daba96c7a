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
use tasker_store::{Batch, BatchReply, BatchWriter, Inconsistency, StoreError};

use crate::database::Database;
use crate::error::unstorable;
use crate::literal::NulInText;
use crate::row::Row;
use crate::statement::Script;

const ACTION: &str = "a batch of requests";

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
    if !batch.settlements.is_empty() {
        settle::add(&mut script, &batch.settlements, now)?;
    }
    batch.renewals.iter().try_for_each(|renewal| renew::add(&mut script, renewal, now))?;
    batch.claims.iter().try_for_each(|claim| claim::add(&mut script, claim, now))?;
    Ok(script)
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
    if !batch.settlements.is_empty() {
        settle::read(batch.settlements.len(), &next(), &mut reply)?;
    }
    for _ in &batch.renewals {
        reply.renewed.push(renew::read(&next())?);
    }
    for claim in &batch.claims {
        let (leases, opened) = claim::read(claim.worker, &next())?;
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
