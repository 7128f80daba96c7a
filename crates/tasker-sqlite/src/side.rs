//! What stands beside the work: places in the feed, and what attempts logged.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::SqliteArguments;
use tasker_core::{LeaseKey, StepId, TaskId, Timestamp, WorkerId};
use tasker_store::{
    AttemptLog, Cursor, CursorRecord, CursorStore, Inconsistency, LogLine, LogStore, StoreError,
};

use crate::failure::Failure;
use crate::record::{Key, Record};
use crate::session::Session;
use crate::sql::{self, arguments};
use crate::store::SqliteStore;
use crate::writer::{Rows, Transaction, task_hex};

#[async_trait]
impl CursorStore for SqliteStore {
    async fn hold_cursor(
        &self,
        name: &str,
        holder: WorkerId,
        lease: Duration,
        start: i64,
    ) -> Result<Option<Cursor>, StoreError> {
        self.writer.carry_out(&Hold { name, holder, lease, start }).await
    }

    async fn move_cursor(&self, name: &str, holder: WorkerId, position: i64) -> Result<bool, StoreError> {
        self.writer.carry_out(&Move { name, holder, position }).await
    }

    async fn release_cursor(&self, name: &str, holder: WorkerId) -> Result<(), StoreError> {
        self.writer.carry_out(&Release { name, holder }).await
    }

    async fn cursors(&self) -> Result<Vec<CursorRecord>, StoreError> {
        self.list_cursors().await.map_err(|failure| failure.into_error("to list places in the feed"))
    }
}

#[async_trait]
impl LogStore for SqliteStore {
    async fn put_logs(&self, logs: Vec<AttemptLog>) -> Result<(), StoreError> {
        if logs.iter().all(|log| log.lines.is_empty()) {
            return Ok(());
        }
        self.writer.carry_out(&PutLogs(logs)).await
    }

    async fn logs(&self, task: TaskId, step: Option<StepId>) -> Result<Vec<AttemptLog>, StoreError> {
        self.read_logs(task, step).await.map_err(|failure| failure.into_error("to read what was logged"))
    }
}

impl SqliteStore {
    async fn list_cursors(&self) -> Result<Vec<CursorRecord>, Failure> {
        let rows = self.read(sql::LIST_CURSORS, SqliteArguments::default()).await?;
        let cursors = rows.iter().map(|row| cursor(Record::new(row, "cursors")));
        Ok(cursors.collect::<Result<_, _>>()?)
    }

    async fn read_logs(&self, task: TaskId, step: Option<StepId>) -> Result<Vec<AttemptLog>, Failure> {
        let id = task.as_uuid().as_bytes().to_vec();
        let rows = self.read(sql::READ_LOGS, arguments![id, step.map(StepId::ordinal)]).await?;
        let logs = rows.iter().map(|row| {
            let row = Record::new(row, "attempt_logs").of(Key::Task(task));
            let key = LeaseKey { step: task.step(row.count("ordinal")?), attempt: row.count("attempt")? };
            let lines: Vec<(i64, String)> = row.json("lines")?;
            let line = |(at, text)| LogLine { at: Timestamp::from_micros(at), text };
            Ok(AttemptLog { key, lines: lines.into_iter().map(line).collect() })
        });
        Ok(AttemptLog::joined(logs.collect::<Result<_, Inconsistency>>()?))
    }
}

/// Takes a place in the feed.
struct Hold<'a> {
    name: &'a str,
    holder: WorkerId,
    lease: Duration,
    start: i64,
}

impl Transaction for Hold<'_> {
    type Answer = Option<Cursor>;

    const ACTION: &'static str = "to give out a place in the feed";

    async fn attempt(&self, session: &mut Session, now: Timestamp) -> Result<Option<Cursor>, Failure> {
        let until = now.plus(self.lease);
        session.begin().await?;
        let asked = arguments![self.name, bytes(self.holder), now.as_micros(), until.as_micros(), self.start];
        let rows = session.run(sql::HOLD_CURSOR, asked).await?;
        session.commit().await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let row = Record::new(row, "cursors").of(Key::Name(self.name));
        Ok(Some(Cursor { position: row.get("position")?, until }))
    }
}

/// Moves a place in the feed.
struct Move<'a> {
    name: &'a str,
    holder: WorkerId,
    position: i64,
}

impl Transaction for Move<'_> {
    type Answer = bool;

    const ACTION: &'static str = "to move a place in the feed";

    async fn attempt(&self, session: &mut Session, now: Timestamp) -> Result<bool, Failure> {
        session.begin().await?;
        let asked = arguments![self.name, bytes(self.holder), now.as_micros(), self.position];
        let rows = session.run(sql::MOVE_CURSOR, asked).await?;
        session.commit().await?;
        Ok(!rows.is_empty())
    }
}

/// Gives up a place in the feed.
struct Release<'a> {
    name: &'a str,
    holder: WorkerId,
}

impl Transaction for Release<'_> {
    type Answer = ();

    const ACTION: &'static str = "to give up a place in the feed";

    async fn attempt(&self, session: &mut Session, _now: Timestamp) -> Result<(), Failure> {
        session.begin().await?;
        session.run(sql::RELEASE_CURSOR, arguments![self.name, bytes(self.holder)]).await?;
        session.commit().await?;
        Ok(())
    }
}

/// Keeps what attempts logged.
struct PutLogs(Vec<AttemptLog>);

impl Transaction for PutLogs {
    type Answer = ();

    const ACTION: &'static str = "to keep what was logged";

    fn weight(&self) -> usize {
        self.0.len()
    }

    async fn attempt(&self, session: &mut Session, _now: Timestamp) -> Result<(), Failure> {
        let mut rows = Rows::default();
        for log in self.0.iter().filter(|log| !log.lines.is_empty()) {
            let lines: Vec<(i64, &str)> =
                log.lines.iter().map(|line| (line.at.as_micros(), &*line.text)).collect();
            let step = log.key.step;
            rows.push(&(task_hex(step.task()), step.ordinal(), log.key.attempt, lines));
        }
        session.begin().await?;
        session.run(sql::PUT_LOGS, arguments![rows.into_text()]).await?;
        session.commit().await?;
        Ok(())
    }
}

fn cursor(row: Record<'_>) -> Result<CursorRecord, Inconsistency> {
    Ok(CursorRecord {
        name: row.get("name")?,
        position: row.get("position")?,
        holder: row.worker_id_if_any("holder")?.zip(row.time_if_any("held_until")?),
        moved_at: row.time("moved_at")?,
    })
}

fn bytes(id: WorkerId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}
