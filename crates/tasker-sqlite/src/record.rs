//! Reading rows: whatever cannot be understood is an inconsistency that names its place.

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Row, Type};
use tasker_core::{StepId, TaskId, Timestamp, WorkerId};
use tasker_store::Inconsistency;
use uuid::Uuid;

/// One row, and where it comes from.
#[derive(Clone, Copy)]
pub(crate) struct Record<'r> {
    row: &'r SqliteRow,
    table: &'static str,
    key: Key<'r>,
}

/// What a row is known by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key<'r> {
    /// Nothing is known yet.
    Unknown,
    /// A number: of a plan, a template, a transition.
    Number(i64),
    /// A task.
    Task(TaskId),
    /// A step.
    Step(StepId),
    /// A name.
    Name(&'r str),
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("a row"),
            Self::Number(number) => number.fmt(f),
            Self::Task(id) => id.fmt(f),
            Self::Step(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

type Read<T> = Result<T, Inconsistency>;

impl<'r> Record<'r> {
    /// A row of `table`.
    pub(crate) fn new(row: &'r SqliteRow, table: &'static str) -> Self {
        Self { row, table, key: Key::Unknown }
    }

    /// The same row, whose key is known.
    #[must_use]
    pub(crate) fn of(self, key: Key<'r>) -> Self {
        Self { key, ..self }
    }

    /// A value as SQLite has it.
    pub(crate) fn get<T>(&self, column: &'static str) -> Read<T>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.row.try_get(column).map_err(|error| self.odd(column, &error))
    }

    /// A number that is never negative.
    pub(crate) fn count(&self, column: &'static str) -> Read<u32> {
        let number: i64 = self.get(column)?;
        u32::try_from(number).map_err(|error| self.odd(column, &format_args!("{number}: {error}")))
    }

    /// Yes or no.
    pub(crate) fn flag(&self, column: &'static str) -> Read<bool> {
        Ok(self.get::<i64>(column)? != 0)
    }

    /// A point in time.
    pub(crate) fn time(&self, column: &'static str) -> Read<Timestamp> {
        self.get(column).map(Timestamp::from_micros)
    }

    /// A point in time, if there is one.
    pub(crate) fn time_if_any(&self, column: &'static str) -> Read<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>(column)?.map(Timestamp::from_micros))
    }

    /// A text that has a meaning: a state, a cause, a name.
    pub(crate) fn parsed<T>(&self, column: &'static str) -> Read<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let text: &str = self.get(column)?;
        text.parse().map_err(|error| self.odd(column, &error))
    }

    /// A text that has a meaning, if there is one.
    pub(crate) fn parsed_if_any<T>(&self, column: &'static str) -> Read<Option<T>>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let text: Option<&str> = self.get(column)?;
        text.map(|text| text.parse().map_err(|error| self.odd(column, &error))).transpose()
    }

    /// A JSON document.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Read<T> {
        let text: &str = self.get(column)?;
        serde_json::from_str(text).map_err(|error| self.odd(column, &error))
    }

    /// A JSON document, if there is one.
    pub(crate) fn json_if_any<T: DeserializeOwned>(&self, column: &'static str) -> Read<Option<T>> {
        let text: Option<&str> = self.get(column)?;
        text.map(|text| serde_json::from_str(text).map_err(|error| self.odd(column, &error))).transpose()
    }

    /// The id of a task.
    pub(crate) fn task_id(&self, column: &'static str) -> Read<TaskId> {
        let uuid = self.uuid(column, self.get(column)?)?;
        TaskId::try_from(uuid).map_err(|error| self.odd(column, &error))
    }

    /// The id of a task, if there is one.
    pub(crate) fn task_id_if_any(&self, column: &'static str) -> Read<Option<TaskId>> {
        match self.get::<Option<&[u8]>>(column)? {
            Some(_) => self.task_id(column).map(Some),
            None => Ok(None),
        }
    }

    /// The id of a worker.
    pub(crate) fn worker_id(&self, column: &'static str) -> Read<WorkerId> {
        self.uuid(column, self.get(column)?).map(WorkerId::from)
    }

    /// The id of a worker, if there is one.
    pub(crate) fn worker_id_if_any(&self, column: &'static str) -> Read<Option<WorkerId>> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes.map(|bytes| self.uuid(column, bytes).map(WorkerId::from)).transpose()
    }

    fn uuid(&self, column: &'static str, bytes: &[u8]) -> Read<Uuid> {
        Uuid::from_slice(bytes).map_err(|error| self.odd(column, &error))
    }

    /// What is said of a value that cannot be understood.
    pub(crate) fn odd(&self, column: &'static str, reason: &dyn fmt::Display) -> Inconsistency {
        let (table, key) = (self.table, self.key.to_string());
        Inconsistency { table, column, key, reason: reason.to_string() }
    }
}
