//! What stands beside the work: places in the feed, and what attempts logged.

use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{StepId, TaskId, WorkerId};

use super::MemoryStore;
use crate::cursor::{Cursor, CursorRecord};
use crate::error::StoreError;
use crate::log::AttemptLog;
use crate::traits::{CursorStore, LogStore};

#[async_trait]
impl CursorStore for MemoryStore {
    async fn hold_cursor(
        &self,
        name: &str,
        holder: WorkerId,
        lease: Duration,
        start: i64,
    ) -> Result<Option<Cursor>, StoreError> {
        let now = self.now();
        let mut tables = self.tables();
        let cursor = tables.cursors.entry(name.to_owned()).or_insert_with(|| CursorRecord {
            name: name.to_owned(),
            position: start,
            holder: None,
            moved_at: now,
        });
        if cursor.holder.is_some_and(|(other, until)| other != holder && until > now) {
            return Ok(None);
        }
        let until = now.plus(lease);
        cursor.holder = Some((holder, until));
        Ok(Some(Cursor { position: cursor.position, until }))
    }

    async fn move_cursor(&self, name: &str, holder: WorkerId, position: i64) -> Result<bool, StoreError> {
        let now = self.now();
        let mut tables = self.tables();
        let Some(cursor) = held_by(tables.cursors.get_mut(name), holder) else { return Ok(false) };
        if position > cursor.position {
            cursor.position = position;
            cursor.moved_at = now;
        }
        Ok(true)
    }

    async fn release_cursor(&self, name: &str, holder: WorkerId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if let Some(cursor) = held_by(tables.cursors.get_mut(name), holder) {
            cursor.holder = None;
        }
        Ok(())
    }

    async fn cursors(&self) -> Result<Vec<CursorRecord>, StoreError> {
        Ok(self.tables().cursors.values().cloned().collect())
    }
}

fn held_by(cursor: Option<&mut CursorRecord>, holder: WorkerId) -> Option<&mut CursorRecord> {
    cursor.filter(|cursor| cursor.holder.is_some_and(|(held_by, _)| held_by == holder))
}

#[async_trait]
impl LogStore for MemoryStore {
    async fn put_logs(&self, logs: Vec<AttemptLog>) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for log in logs {
            if !log.lines.is_empty() && tables.tasks.contains_key(&log.key.step.task()) {
                tables.logs.push(log);
            }
        }
        Ok(())
    }

    async fn logs(&self, task: TaskId, step: Option<StepId>) -> Result<Vec<AttemptLog>, StoreError> {
        let tables = self.tables();
        let is_wanted =
            |log: &&AttemptLog| log.key.step.task() == task && step.is_none_or(|step| log.key.step == step);
        let mut logs: Vec<AttemptLog> = tables.logs.iter().filter(is_wanted).cloned().collect();
        // Those of one attempt stay in the order in which they came.
        logs.sort_by_key(|log| (log.key.step, log.key.attempt));
        Ok(AttemptLog::joined(logs))
    }
}
