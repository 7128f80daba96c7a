//! The transitions of a task as one text, see `queries/feed/histories.sql`.

use serde_json::Value;
use tasker_core::{TaskId, Timestamp};
use tasker_store::{Inconsistency, Transition};

use crate::row::{Reader, Words};

const COLUMN: &str = "transitions";

/// Reads the transitions of the task that a row is about.
pub(crate) fn unpacked(row: Reader<'_>) -> Result<Vec<Transition>, Inconsistency> {
    let task = row.task("task_id")?;
    let mut words = Words::of(row, COLUMN, row.maybe_text(COLUMN)?.unwrap_or_default());
    let mut transitions = Vec::new();
    while !words.is_at_end() {
        transitions.push(transition(task, &mut words)?);
    }
    Ok(transitions)
}

fn transition(task: TaskId, words: &mut Words<'_>) -> Result<Transition, Inconsistency> {
    let (seq, ordinal, attempt): (_, i64, u32) = (words.next()?, words.next()?, words.next()?);
    let (from, to, cause) = (words.next_unless("-")?, words.next()?, words.next()?);
    let at = Timestamp::from_micros(words.next()?);
    let (by, details): (i64, i64) = (words.next()?, words.next()?);
    let by = words.characters(by)?.map(str::to_owned);
    let details = match words.characters(details)? {
        Some(json) => serde_json::from_str(json).map_err(|error| words.bad(error.to_string()))?,
        None => Value::Null,
    };
    Ok(Transition {
        seq,
        task,
        step: u32::try_from(ordinal).ok().map(|ordinal| task.step(ordinal)),
        attempt: Some(attempt).filter(|attempt| *attempt > 0),
        from,
        to,
        cause,
        at,
        by,
        details,
    })
}
