//! The feed, and how far it may be trusted.
//!
//! Numbers are given to transitions when they are written, and seen when they are committed, which need not
//! be in the same order. A cursor that passed a number before its row was committed would never see it. So a
//! reader notes the last number given, then takes a transaction id, which is greater than that of everyone
//! who was given a number by then: each writer takes locks on rows, and so has its id, before it writes its
//! first transition. Once every transaction below that id has ended, nothing can appear at or below that
//! number any more.
//!
//! Ids belong to the whole cluster: a long transaction that writes anywhere in it would hold the feed back.
//! Where one does, the lock that each writer of transitions holds on their table tells more exactly who is
//! still to be waited for; it costs more to look at, and so is looked at only then.

mod trust;

use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tasker_store::{FeedPage, FeedStore, Inconsistency, StoreError, Transition, Wake};

use crate::error::{store_error, unstorable};
use crate::row::{Reader, Row};
use crate::statement::{FEED_MARK, FEED_PAGE, FEED_SNAPSHOT, FEED_WRITERS, Script};
use crate::store::PostgresStore;
use trust::Sight;
pub(crate) use trust::Trust;

const ACTION: &str = "reading the feed";

/// Waits between looks at a feed whose newest part is not yet to be trusted.
const PAUSES: [Duration; 9] = {
    let millis = Duration::from_millis;
    [millis(1), millis(2), millis(4), millis(8), millis(16), millis(32), millis(64), millis(128), millis(256)]
};

/// From this look on, the locks are looked at as well.
const THOROUGH: usize = 3;

#[async_trait]
impl FeedStore for PostgresStore {
    async fn feed(&self, after: i64, limit: u32) -> Result<FeedPage, StoreError> {
        let mut pauses = PAUSES.iter();
        for look in 0.. {
            let seen = self.look(after, limit, look >= THOROUGH).await?;
            if !seen.transitions.is_empty() || seen.trusted >= seen.last {
                let next = seen.transitions.last().map_or(after, |transition| transition.seq);
                return Ok(FeedPage { transitions: seen.transitions, next });
            }
            let Some(pause) = pauses.next() else { break };
            tokio::time::sleep(*pause).await;
        }
        // Somebody writes for a long time. Whoever waits for a hint gets one more.
        self.remind();
        Ok(FeedPage { transitions: Vec::new(), next: after })
    }

    async fn feed_end(&self) -> Result<i64, StoreError> {
        let mut pauses = PAUSES.iter();
        let mut end = None;
        for look in 0.. {
            let seen = self.look(i64::MAX, 0, look >= THOROUGH).await?;
            let end = *end.get_or_insert(seen.last);
            if seen.trusted >= end {
                return Ok(end);
            }
            let Some(pause) = pauses.next() else { break };
            tokio::time::sleep(*pause).await;
        }
        Err(store_error("finding the end of the feed", sqlx::Error::PoolTimedOut))
    }

    fn wake(&self) -> &Wake {
        &self.wake
    }
}

/// What one look at the feed showed.
struct Seen {
    transitions: Vec<Transition>,
    last: i64,
    trusted: i64,
}

impl PostgresStore {
    /// Marks, takes a snapshot, looks at the locks if `thorough`, and reads, in this order.
    async fn look(&self, after: i64, limit: u32, thorough: bool) -> Result<Seen, StoreError> {
        let look = self.trust.lock().unwrap_or_else(PoisonError::into_inner).look();
        let script = || {
            let mut script = Script::of(FEED_MARK, &[&look.trusted])?;
            script.add(FEED_SNAPSHOT, &[])?;
            if thorough {
                script.add(FEED_WRITERS, &[])?;
            }
            script.add(FEED_PAGE, &[&after, &limit])?;
            Ok(script)
        };
        let script = script().map_err(|error| unstorable(ACTION, error))?;
        let mut results = self.database.query(ACTION, script).await?;
        let page = results.pop().unwrap_or_default();
        let sight = sight(&results)?;
        let last = sight.last;
        let trusted = self.trust.lock().unwrap_or_else(PoisonError::into_inner).see(look, sight);
        let mut transitions = Vec::with_capacity(page.len());
        for row in &page {
            let transition = transition(row.of("transitions"))?;
            if transition.seq > trusted {
                break;
            }
            transitions.push(transition);
        }
        Ok(Seen { transitions, last, trusted })
    }

    fn remind(&self) {
        let wake = self.wake.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            wake.feed_has_grown();
        });
    }
}

fn sight(results: &[Vec<Row>]) -> Result<Sight, Inconsistency> {
    let mut rows = results.iter();
    let mut first = |table| rows.next().and_then(|rows| rows.first()).map(|row| row.of(table));
    let (Some(mark), Some(snapshot)) = (first("transitions_seq_seq"), first("pg_snapshot")) else {
        let reason = "no row".to_owned();
        return Err(Inconsistency {
            table: "transitions_seq_seq",
            column: "last_value",
            key: String::new(),
            reason,
        });
    };
    let writers = rows.next().map(|rows| rows.iter().map(|row| row.of("pg_locks").get("writer")).collect());
    Ok(Sight {
        last: mark.get("last")?,
        bound: mark.maybe("bound")?,
        xmin: snapshot.get("xmin")?,
        writers: writers.transpose()?,
    })
}

/// A row of the feed.
pub(crate) fn transition(row: Reader<'_>) -> Result<Transition, Inconsistency> {
    let task = row.task("task_id")?;
    let ordinal: Option<u32> = row.maybe("ordinal")?;
    Ok(Transition {
        seq: row.get("seq")?,
        task,
        step: ordinal.map(|ordinal| task.step(ordinal)),
        attempt: row.maybe("attempt")?,
        from: row.maybe("from_state")?,
        to: row.get("to_state")?,
        cause: row.get("cause")?,
        at: row.time("at")?,
        by: row.maybe_text("by")?.map(str::to_owned),
        details: row.maybe_json("details")?.unwrap_or(Value::Null),
    })
}
