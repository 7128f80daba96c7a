//! The writer: one connection, one transaction at a time, a whole batch in each.

mod claim;
mod command;
mod renew;
mod round;
mod settle;
mod slots;
mod submit;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::SqliteArguments;
use tasker_core::{Clock, Timestamp};
use tasker_store::{Batch, BatchReply, BatchWriter, StoreError, Wake};
use tokio::sync::Mutex;

use crate::checkpoint::LogBell;
use crate::failure::Failure;
use crate::session::Session;
use crate::sql;
use round::Round;

pub(crate) use slots::{Rows, task_hex};

/// How often a transaction is begun while another process writes. SQLite itself waits for
/// [`crate::connect::BUSY_TIMEOUT`] each time.
const ATTEMPTS: u32 = 6;

/// The log is measured after about so many rows.
const MEASURED_AFTER: usize = 500;

/// Owns the connection that writes.
pub(crate) struct Writer {
    /// Nothing once the store is closed.
    session: Mutex<Option<Session>>,
    clock: Arc<dyn Clock>,
    wake: Wake,
    bell: Arc<LogBell>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// Something that is done in one transaction, or not at all.
pub(crate) trait Transaction: Sync {
    /// What comes of it.
    type Answer: Send;

    /// What it is, after "the database refused".
    const ACTION: &'static str;

    /// About how many rows it writes.
    fn weight(&self) -> usize {
        1
    }

    /// Does it, from begin to commit. If it fails, what it did is taken back, and if that was because another
    /// process was in the way, it is done again.
    fn attempt(
        &self,
        session: &mut Session,
        now: Timestamp,
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

impl Writer {
    pub(crate) fn new(session: Session, clock: Arc<dyn Clock>, wake: Wake) -> Self {
        Self { session: Mutex::new(Some(session)), clock, wake, bell: Arc::default() }
    }

    /// What calls the copier of the log.
    pub(crate) fn bell(&self) -> Arc<LogBell> {
        Arc::clone(&self.bell)
    }

    /// Carries out a transaction.
    pub(crate) async fn carry_out<T: Transaction>(&self, transaction: &T) -> Result<T::Answer, StoreError> {
        let mut guard = self.session.lock().await;
        let session = guard.as_mut().ok_or(StoreError::Closed)?;
        for attempt in 1.. {
            session.make_ready().await;
            match transaction.attempt(session, self.clock.now()).await {
                Ok(answer) => {
                    session.committed();
                    self.look_after_log(session, transaction.weight()).await;
                    return Ok(answer);
                }
                Err(failure) => {
                    session.roll_back().await;
                    if !failure.is_busy() || attempt == ATTEMPTS {
                        return Err(failure.into_error(T::ACTION));
                    }
                    tokio::time::sleep(self.pause()).await;
                }
            }
        }
        Err(StoreError::Closed)
    }

    /// Gives back to the disk what pruning left empty.
    pub(crate) async fn give_space_back(&self) -> Result<(), StoreError> {
        let mut guard = self.session.lock().await;
        let session = guard.as_mut().ok_or(StoreError::Closed)?;
        session.make_ready().await;
        let end = session.run(sql::VACUUM, SqliteArguments::default()).await;
        session.committed();
        match end.map_err(Failure::from) {
            // It is done after the next round.
            Err(failure) if failure.is_busy() => Ok(()),
            Err(failure) => Err(failure.into_error("to give space back")),
            Ok(_) => Ok(()),
        }
    }

    /// Asks whether another process has written, and whether it took leases away, and passes the word on.
    pub(crate) async fn look_for_others(&self) -> Result<(), StoreError> {
        let mut guard = self.session.lock().await;
        let session = guard.as_mut().ok_or(StoreError::Closed)?;
        let looked = async {
            let wrote = session.others_wrote().await?;
            Ok((wrote, wrote && session.leases_were_revoked().await?))
        };
        let looked = looked.await.map_err(|failure: Failure| failure.into_error("a look at its version"));
        let (wrote, revoked) = looked?;
        if wrote {
            self.wake.steps_are_ready();
            self.wake.feed_has_grown();
            self.wake.tasks_are_judged();
        }
        if revoked {
            self.wake.leases_are_revoked();
        }
        Ok(())
    }

    /// Writes nothing more.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        match self.session.lock().await.take() {
            Some(session) => {
                let closed = session.close().await.map_err(Failure::from);
                closed.map_err(|failure| failure.into_error("to be closed"))
            }
            None => Ok(()),
        }
    }

    /// Measures the log now and then, and copies it if that is quickly done.
    async fn look_after_log(&self, session: &mut Session, weight: usize) {
        self.bell.committed();
        if session.add_weight(weight) < MEASURED_AFTER {
            return;
        }
        let looked = async {
            let log = session.measure_log().await?;
            if log.is_long() {
                self.bell.ring();
            }
            if log.is_for_the_writer() { session.copy_log().await } else { Ok(()) }
        };
        if let Err(error) = looked.await {
            tracing::warn!(%error, "the log of the database could not be copied into it");
        }
    }

    /// Between 5 and 55 milliseconds, another for each process and time.
    fn pause(&self) -> Duration {
        let seed = self.clock.now().as_micros().unsigned_abs() ^ u64::from(std::process::id());
        Duration::from_millis(5 + seed % 50)
    }
}

#[async_trait]
impl BatchWriter for Writer {
    async fn commit(&self, batch: &Batch) -> Result<BatchReply, StoreError> {
        self.carry_out(batch).await
    }
}

impl Transaction for Batch {
    type Answer = BatchReply;

    const ACTION: &'static str = "a batch of work";

    fn weight(&self) -> usize {
        Self::weight(self)
    }

    async fn attempt(&self, session: &mut Session, now: Timestamp) -> Result<BatchReply, Failure> {
        let mut round = Round::begin(session, now);
        round.submit(&self.submissions).await?;
        round.command(&self.commands).await?;
        round.settle(&self.settlements).await?;
        round.renew(&self.renewals).await?;
        round.claim(&self.claims).await?;
        round.commit().await
    }
}

#[cfg(test)]
mod tests;
