//! The transitions of a task as one text, see `queries/feed/histories.sql`.

use std::str::FromStr;

use serde_json::Value;
use tasker_core::{State, TaskId, Timestamp};
use tasker_store::{Inconsistency, Transition};

use crate::row::Reader;

const COLUMN: &str = "transitions";

/// Reads the transitions of the task that a row is about.
pub(crate) fn unpacked(row: Reader<'_>) -> Result<Vec<Transition>, Inconsistency> {
    let task = row.task("task_id")?;
    let mut rest = Rest { row, text: row.maybe_text(COLUMN)?.unwrap_or_default() };
    let mut transitions = Vec::new();
    while !rest.text.is_empty() {
        transitions.push(rest.transition(task)?);
    }
    Ok(transitions)
}

/// What was not read yet.
struct Rest<'a> {
    row: Reader<'a>,
    text: &'a str,
}

impl<'a> Rest<'a> {
    fn transition(&mut self, task: TaskId) -> Result<Transition, Inconsistency> {
        let seq = self.parsed()?;
        let ordinal: i64 = self.parsed()?;
        let attempt: u32 = self.parsed()?;
        let from = Some(self.word()?).filter(|word| *word != "-");
        let from = from.map(|word| self.parse::<State>(word)).transpose()?;
        let (to, cause, at) = (self.parsed()?, self.parsed()?, Timestamp::from_micros(self.parsed()?));
        let (by, details): (i64, i64) = (self.parsed()?, self.parsed()?);
        let by = self.characters(by)?.map(str::to_owned);
        let details = match self.characters(details)? {
            Some(json) => serde_json::from_str(json).map_err(|error| self.bad(error.to_string()))?,
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

    fn word(&mut self) -> Result<&'a str, Inconsistency> {
        let (word, rest) =
            self.text.split_once(' ').ok_or_else(|| self.bad("a word is missing".to_owned()))?;
        self.text = rest;
        Ok(word)
    }

    fn parsed<T: FromStr<Err: ToString>>(&mut self) -> Result<T, Inconsistency> {
        let word = self.word()?;
        self.parse(word)
    }

    fn parse<T: FromStr<Err: ToString>>(&self, word: &str) -> Result<T, Inconsistency> {
        word.parse().map_err(|error: T::Err| self.bad(error.to_string()))
    }

    /// So many characters; nothing if that is less than none.
    fn characters(&mut self, count: i64) -> Result<Option<&'a str>, Inconsistency> {
        let Ok(count) = usize::try_from(count) else { return Ok(None) };
        let mut ends = self.text.char_indices().map(|(end, _)| end).chain([self.text.len()]);
        let end = ends.nth(count).ok_or_else(|| self.bad("characters are missing".to_owned()))?;
        let (characters, rest) = self.text.split_at(end);
        self.text = rest;
        Ok(Some(characters))
    }

    fn bad(&self, reason: String) -> Inconsistency {
        self.row.bad(COLUMN, reason)
    }
}
