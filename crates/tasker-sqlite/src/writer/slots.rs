//! The parameters of a round: numbered alike in all its statements, so that one script carries them all.

use std::fmt::Write;

use serde::Serialize;
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use tasker_core::{TaskId, Timestamp, WorkerId};

/// The parameters by their numbers in `queries/tasks/insert.sql` and `queries/steps/*.sql`.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// $1
    pub(crate) now: Timestamp,
    /// $2
    pub(crate) settlements: Option<String>,
    /// $3
    pub(crate) renewals: Option<String>,
    /// $4
    pub(crate) tasks: Option<String>,
    /// $5 to $12
    pub(crate) claim: Option<ClaimSlots>,
    /// $13
    pub(crate) task_count: i64,
    /// $14
    pub(crate) asked: Option<String>,
}

/// The parameters of a claim.
#[derive(Debug)]
pub(crate) struct ClaimSlots {
    /// $5
    pub(crate) queues: String,
    /// $6
    pub(crate) handlers: String,
    /// $7
    pub(crate) turn: u32,
    /// $8
    pub(crate) capacity: u32,
    /// $9 and $10
    pub(crate) worker: WorkerId,
    /// $11
    pub(crate) until: Timestamp,
    /// $12
    pub(crate) task: Option<Vec<u8>>,
}

impl Slots {
    pub(crate) fn into_arguments(self) -> Result<SqliteArguments, BoxDynError> {
        let mut arguments = SqliteArguments::default();
        arguments.add(self.now.as_micros())?;
        arguments.add(self.settlements)?;
        arguments.add(self.renewals)?;
        arguments.add(self.tasks)?;
        if let Some(claim) = self.claim {
            claim.add_to(&mut arguments)?;
        } else {
            for _ in 5..=12 {
                arguments.add(None::<i64>)?;
            }
        }
        arguments.add(self.task_count)?;
        arguments.add(self.asked)?;
        Ok(arguments)
    }
}

impl ClaimSlots {
    fn add_to(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        arguments.add(self.queues)?;
        arguments.add(self.handlers)?;
        arguments.add(self.turn)?;
        arguments.add(self.capacity)?;
        arguments.add(self.worker.as_uuid().as_bytes().to_vec())?;
        arguments.add(self.worker.to_string())?;
        arguments.add(self.until.as_micros())?;
        arguments.add(self.task)
    }
}

/// A JSON array under construction: rows that a statement reads with `jsonb_each`.
#[derive(Debug)]
pub(crate) struct Rows {
    text: String,
    count: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Self { text: "[".to_owned(), count: 0 }
    }
}

impl Rows {
    /// Adds a row.
    pub(crate) fn push(&mut self, row: &impl Serialize) {
        let row = serde_json::to_string(row).expect("invariant: a row is made of numbers and texts");
        if self.count > 0 {
            self.text.push(',');
        }
        self.text.push_str(&row);
        self.count += 1;
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether there is so much that it should be sent before more is added.
    pub(crate) fn is_full(&self) -> bool {
        /// Documents of a batch pass through memory several times over.
        const BYTES: usize = 4 << 20;
        self.text.len() >= BYTES
    }

    /// The rows as a JSON text.
    pub(crate) fn into_text(mut self) -> String {
        self.text.push(']');
        self.text
    }
}

/// The id of a task as SQLite's `unhex` reads it.
pub(crate) fn task_hex(id: TaskId) -> String {
    hex(id.as_uuid())
}

/// The id of a worker as SQLite's `unhex` reads it.
pub(crate) fn worker_hex(id: WorkerId) -> String {
    hex(id.as_uuid())
}

fn hex(uuid: uuid::Uuid) -> String {
    let mut text = String::with_capacity(32);
    let _ = write!(text, "{:x}", uuid.simple());
    text
}
