//! The feed: transitions in the order in which they were committed, as one process writes at a time.

use async_trait::async_trait;
use serde_json::Value;
use sqlx::sqlite::SqliteArguments;
use tasker_store::{FeedPage, FeedStore, Inconsistency, StoreError, Transition, Wake};

use crate::failure::Failure;
use crate::record::{Key, Record};
use crate::sql::{self, arguments};
use crate::store::SqliteStore;

#[async_trait]
impl FeedStore for SqliteStore {
    async fn feed(&self, after: i64, limit: u32) -> Result<FeedPage, StoreError> {
        let transitions = self.read_feed(after, limit).await;
        let transitions = transitions.map_err(|failure| failure.into_error("to read the feed"))?;
        let next = transitions.last().map_or(after, |transition| transition.seq);
        Ok(FeedPage { transitions, next })
    }

    async fn feed_end(&self) -> Result<i64, StoreError> {
        self.find_feed_end().await.map_err(|failure| failure.into_error("to read the end of the feed"))
    }

    fn wake(&self) -> &Wake {
        &self.wake
    }
}

impl SqliteStore {
    async fn read_feed(&self, after: i64, limit: u32) -> Result<Vec<Transition>, Failure> {
        let rows = self.read(sql::READ_TRANSITIONS, arguments![after, limit]).await?;
        let transitions = rows.iter().map(|row| transition(Record::new(row, "transitions")));
        Ok(transitions.collect::<Result<_, _>>()?)
    }

    async fn find_feed_end(&self) -> Result<i64, Failure> {
        let rows = self.read(sql::FIND_FEED_END, SqliteArguments::default()).await?;
        match rows.first() {
            Some(row) => Ok(Record::new(row, "transitions").get("seq")?),
            None => Ok(0),
        }
    }
}

pub(crate) fn transition(row: Record<'_>) -> Result<Transition, Inconsistency> {
    let seq = row.get("seq")?;
    let row = row.of(Key::Number(seq));
    let task = row.task_id("task_id")?;
    Ok(Transition {
        seq,
        task,
        step: row.get::<Option<u32>>("ordinal")?.map(|ordinal| task.step(ordinal)),
        attempt: row.get("attempt")?,
        from: row.parsed_if_any("from_state")?,
        to: row.parsed("to_state")?,
        cause: row.parsed("cause")?,
        at: row.time("at")?,
        by: row.get("by")?,
        details: row.json_if_any("details")?.unwrap_or(Value::Null),
    })
}
