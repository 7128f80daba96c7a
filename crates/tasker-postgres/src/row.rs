//! Reading rows. Every value arrives as text.

use std::str::FromStr;

use serde_json::Value;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use tasker_core::{TaskId, Timestamp};
use tasker_store::Inconsistency;
use uuid::Uuid;

/// A row of a result.
#[derive(Debug)]
pub(crate) struct Row {
    sent: PgRow,
    packed: Option<&'static [&'static str]>,
}

/// The column of a row that is packed: a text that holds all columns, with bars between them. One that is null is empty.
const PACKED: &str = "packed";

/// A row with the name of the table it is from, for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    table: &'static str,
    row: &'a Row,
}

impl Row {
    pub(crate) fn new(row: PgRow) -> Self {
        Self { sent: row, packed: None }
    }

    /// The same row, which is packed and has these columns.
    pub(crate) fn packed(self, columns: &'static [&'static str]) -> Self {
        Self { packed: Some(columns), ..self }
    }

    /// Reads the row as one of `table`.
    pub(crate) fn of(&self, table: &'static str) -> Reader<'_> {
        Reader { table, row: self }
    }

    fn text(&self, column: &str) -> Result<Option<&str>, String> {
        let Some(columns) = self.packed else { return self.sent(column) };
        let place = columns.iter().position(|name| *name == column);
        let mut parts = self.sent(PACKED)?.unwrap_or_default().split('|');
        let part = place.and_then(|place| parts.nth(place));
        part.map(|part| Some(part).filter(|part| !part.is_empty()))
            .ok_or_else(|| "there is no such column".to_owned())
    }

    fn sent(&self, column: &str) -> Result<Option<&str>, String> {
        let value = self.sent.try_get_raw(column).map_err(|error| error.to_string())?;
        if sqlx::ValueRef::is_null(&value) {
            return Ok(None);
        }
        value.as_str().map(Some).map_err(|error| error.to_string())
    }
}

impl<'a> Reader<'a> {
    /// A text, or nothing.
    pub(crate) fn maybe_text(self, column: &'static str) -> Result<Option<&'a str>, Inconsistency> {
        self.row.text(column).map_err(|reason| self.bad(column, reason))
    }

    /// A text.
    pub(crate) fn text(self, column: &'static str) -> Result<&'a str, Inconsistency> {
        self.maybe_text(column)?.ok_or_else(|| self.bad(column, "it is null".to_owned()))
    }

    /// Anything that reads itself from text, or nothing.
    pub(crate) fn maybe<T>(self, column: &'static str) -> Result<Option<T>, Inconsistency>
    where
        T: FromStr<Err: ToString>,
    {
        let text = self.maybe_text(column)?;
        text.map(|text| text.parse().map_err(|error: T::Err| self.bad(column, error.to_string()))).transpose()
    }

    /// Anything that reads itself from text.
    pub(crate) fn get<T>(self, column: &'static str) -> Result<T, Inconsistency>
    where
        T: FromStr<Err: ToString>,
    {
        self.maybe(column)?.ok_or_else(|| self.bad(column, "it is null".to_owned()))
    }

    /// A truth value.
    pub(crate) fn flag(self, column: &'static str) -> Result<bool, Inconsistency> {
        Ok(self.text(column)? == "t")
    }

    /// A time given as microseconds, or nothing.
    pub(crate) fn maybe_time(self, column: &'static str) -> Result<Option<Timestamp>, Inconsistency> {
        Ok(self.maybe(column)?.map(Timestamp::from_micros))
    }

    /// A time given as microseconds.
    pub(crate) fn time(self, column: &'static str) -> Result<Timestamp, Inconsistency> {
        self.get(column).map(Timestamp::from_micros)
    }

    /// JSON, or nothing where the column is null. JSON's own `null` is a value.
    pub(crate) fn maybe_json<T: serde::de::DeserializeOwned>(
        self,
        column: &'static str,
    ) -> Result<Option<T>, Inconsistency> {
        let text = self.maybe_text(column)?;
        text.map(|text| serde_json::from_str(text).map_err(|error| self.bad(column, error.to_string())))
            .transpose()
    }

    /// JSON.
    pub(crate) fn json(self, column: &'static str) -> Result<Value, Inconsistency> {
        self.maybe_json(column)?.ok_or_else(|| self.bad(column, "it is null".to_owned()))
    }

    /// A list given as a JSON array.
    pub(crate) fn list<T: serde::de::DeserializeOwned>(
        self,
        column: &'static str,
    ) -> Result<Vec<T>, Inconsistency> {
        self.maybe_json(column)?.ok_or_else(|| self.bad(column, "it is null".to_owned()))
    }

    /// A task's id.
    pub(crate) fn task(self, column: &'static str) -> Result<TaskId, Inconsistency> {
        let uuid: Uuid = self.get(column)?;
        TaskId::try_from(uuid).map_err(|error| self.bad(column, error.to_string()))
    }

    /// Says what is wrong with a column of this row.
    pub(crate) fn bad(self, column: &'static str, reason: String) -> Inconsistency {
        let key = self.row.sent.columns().first().and_then(|first| {
            use sqlx::Column as _;
            self.row.sent(first.name()).ok().flatten().map(|text| text.chars().take(80).collect())
        });
        Inconsistency { table: self.table, column, key: key.unwrap_or_default(), reason }
    }
}

/// The words of one item of a list that a function answers as text.
pub(crate) struct Words<'a> {
    row: Reader<'a>,
    column: &'static str,
    left: std::str::Split<'a, char>,
}

impl<'a> Words<'a> {
    /// The words of `text`, which is part of a column.
    pub(crate) fn of(row: Reader<'a>, column: &'static str, text: &'a str) -> Self {
        Self { row, column, left: text.split(' ') }
    }

    /// The next word, or nothing.
    pub(crate) fn maybe<T: FromStr<Err: ToString>>(&mut self) -> Result<Option<T>, Inconsistency> {
        let word = self.left.next();
        word.map(|word| word.parse().map_err(|error: T::Err| self.row.bad(self.column, error.to_string())))
            .transpose()
    }

    /// The next word.
    pub(crate) fn next<T: FromStr<Err: ToString>>(&mut self) -> Result<T, Inconsistency> {
        self.maybe()?.ok_or_else(|| self.row.bad(self.column, "a word is missing".to_owned()))
    }

    /// The next word as a task's id.
    pub(crate) fn task(&mut self) -> Result<TaskId, Inconsistency> {
        let uuid: Uuid = self.next()?;
        TaskId::try_from(uuid).map_err(|error| self.row.bad(self.column, error.to_string()))
    }
}
