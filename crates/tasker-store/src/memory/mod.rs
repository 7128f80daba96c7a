//! The reference: a store in memory.
//!
//! It is the shortest statement of what each request means, and what the conformance suite and the
//! differential test hold the databases against. It keeps its promises as long as the process lives.

mod backlog;
mod command;
mod read;
mod side;
mod submit;
mod tables;
mod work;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tasker_core::{Clock, Timestamp};

use crate::batch::{Batch, BatchReply, BatchWriter};
use crate::error::StoreError;
use crate::group::{Committer, Gathered};
use crate::wake::Wake;
use tables::Tables;

/// A store in memory.
pub struct MemoryStore {
    shelf: Arc<Shelf>,
    committer: Committer,
    wake: Wake,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// The tables and the clock, which the store shares with its writer.
struct Shelf {
    tables: Mutex<Tables>,
    clock: Arc<dyn Clock>,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Tables> {
        // A panic while the lock was held would be a bug; the tables are still the best there is.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryStore {
    /// An empty store that goes by `clock`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let shelf = Arc::new(Shelf { tables: Mutex::default(), clock });
        let wake = Wake::default();
        let committer = Committer::start(Arc::clone(&shelf) as Arc<dyn BatchWriter>, wake.clone());
        Self { shelf, committer, wake }
    }

    fn now(&self) -> Timestamp {
        self.shelf.clock.now()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.shelf.lock()
    }
}

impl Gathered for MemoryStore {
    fn committer(&self) -> &Committer {
        &self.committer
    }
}

#[async_trait]
impl BatchWriter for Shelf {
    async fn commit(&self, batch: &Batch) -> Result<BatchReply, StoreError> {
        let now = self.clock.now();
        let mut tables = self.lock();
        tables.opened.clear();
        tables.namespace_opened = false;
        let mut reply = BatchReply {
            submissions: batch.submissions.iter().map(|tasks| tables.submit(tasks, now)).collect(),
            commands: batch.commands.iter().map(|command| tables.command(command, now)).collect(),
            ..BatchReply::default()
        };
        (reply.settled, reply.verdicts) = tables.settle(&batch.settlements, now);
        reply.renewed = batch.renewals.iter().map(|renewal| tables.renew(renewal, now)).collect();
        reply.leases = batch.claims.iter().map(|claim| tables.claim(claim, now)).collect();
        reply.left_ready = tables.opened.len() as u64 + u64::from(tables.namespace_opened);
        Ok(reply)
    }
}
