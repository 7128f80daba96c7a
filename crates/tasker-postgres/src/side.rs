//! What stands beside the work: places in the feed, and what attempts logged.

use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{LeaseKey, StepId, TaskId, Timestamp, WorkerId};
use tasker_store::{
    AttemptLog, Cursor, CursorRecord, CursorStore, Inconsistency, LogLine, LogStore, StoreError,
};
use uuid::Uuid;

use crate::error::unstorable;
use crate::literal::{List, Literal};
use crate::row::Reader;
use crate::statement::{
    CURSOR_HOLD, CURSOR_LIST, CURSOR_MOVE, CURSOR_RELEASE, LOG_PUT, LOG_READ, Script, Statement,
};
use crate::store::PostgresStore;
use crate::write::{micros, ordinal};

#[async_trait]
impl CursorStore for PostgresStore {
    async fn hold_cursor(
        &self,
        name: &str,
        holder: WorkerId,
        lease: Duration,
        start: i64,
    ) -> Result<Option<Cursor>, StoreError> {
        let arguments: [&dyn Literal; 5] = [&self.now(), &name, &holder.as_uuid(), &micros(lease), &start];
        let rows = self.change("giving out a place in the feed", CURSOR_HOLD, &arguments).await?;
        let held = rows.first().map(|row| {
            let row = row.of("cursors");
            Ok::<_, Inconsistency>(Cursor { position: row.get("position")?, until: row.time("until")? })
        });
        Ok(held.transpose()?)
    }

    async fn move_cursor(&self, name: &str, holder: WorkerId, position: i64) -> Result<bool, StoreError> {
        let arguments: [&dyn Literal; 4] = [&self.now(), &name, &holder.as_uuid(), &position];
        let rows = self.change("moving a place in the feed", CURSOR_MOVE, &arguments).await?;
        Ok(!rows.is_empty())
    }

    async fn release_cursor(&self, name: &str, holder: WorkerId) -> Result<(), StoreError> {
        let action = "giving up a place in the feed";
        self.change(action, CURSOR_RELEASE, &[&name, &holder.as_uuid()]).await.map(drop)
    }

    async fn cursors(&self) -> Result<Vec<CursorRecord>, StoreError> {
        let rows = self.database.read("listing places in the feed", CURSOR_LIST, &[]).await?;
        Ok(rows.iter().map(|row| cursor(row.of("cursors"))).collect::<Result<_, _>>()?)
    }
}

#[async_trait]
impl LogStore for PostgresStore {
    async fn put_logs(&self, logs: Vec<AttemptLog>) -> Result<(), StoreError> {
        let kept: Vec<_> = logs.iter().filter(|log| !log.lines.is_empty()).collect();
        if kept.is_empty() {
            return Ok(());
        }
        let tasks: Vec<_> = kept.iter().map(|log| log.key.step.task().as_uuid()).collect();
        let ordinals: Vec<_> = kept.iter().map(|log| ordinal(log.key.step.ordinal())).collect();
        let attempts: Vec<_> = kept.iter().map(|log| log.key.attempt).collect();
        let lines: Vec<_> = kept.iter().map(|log| as_json(&log.lines)).collect();
        let arguments: [&dyn Literal; 4] = [&List(&tasks), &List(&ordinals), &List(&attempts), &List(&lines)];
        let action = "keeping what was logged";
        let script = Script::of(LOG_PUT, &arguments).map_err(|error| unstorable(action, error))?;
        self.database.commit(action, script).await.map(drop)
    }

    async fn logs(&self, task: TaskId, step: Option<StepId>) -> Result<Vec<AttemptLog>, StoreError> {
        let step = step.map(|step| ordinal(step.ordinal()));
        let rows = self.database.read("reading what was logged", LOG_READ, &[&task.as_uuid(), &step]).await?;
        let logs = rows.iter().map(|row| log(task, row.of("attempt_logs")));
        Ok(AttemptLog::joined(logs.collect::<Result<_, _>>()?))
    }
}

impl PostgresStore {
    /// Changes something that may be changed twice.
    async fn change(
        &self,
        action: &'static str,
        statement: Statement,
        arguments: &[&dyn Literal],
    ) -> Result<Vec<crate::row::Row>, StoreError> {
        let script = Script::of(statement, arguments).map_err(|error| unstorable(action, error))?;
        Ok(self.database.repeat(action, script).await?.pop().unwrap_or_default())
    }
}

fn cursor(row: Reader<'_>) -> Result<CursorRecord, Inconsistency> {
    let holder: Option<Uuid> = row.maybe("holder")?;
    Ok(CursorRecord {
        name: row.text("name")?.to_owned(),
        position: row.get("position")?,
        holder: holder.map(WorkerId::from).zip(row.maybe_time("held_until")?),
        moved_at: row.time("moved_at")?,
    })
}

fn log(task: TaskId, row: Reader<'_>) -> Result<AttemptLog, Inconsistency> {
    let key = LeaseKey { step: task.step(row.get("ordinal")?), attempt: row.get("attempt")? };
    let lines: Vec<(i64, String)> = row.list("lines")?;
    let line = |(at, text)| LogLine { at: Timestamp::from_micros(at), text };
    Ok(AttemptLog { key, lines: lines.into_iter().map(line).collect() })
}

fn as_json(lines: &[LogLine]) -> String {
    let lines: Vec<(i64, &str)> = lines.iter().map(|line| (line.at.as_micros(), &*line.text)).collect();
    serde_json::to_string(&lines).expect("invariant: numbers and texts are JSON")
}
