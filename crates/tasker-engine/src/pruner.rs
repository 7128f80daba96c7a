//! The Pruner: removes tasks that ended longer ago than they are to be kept.

use std::sync::Arc;
use std::time::Duration;

use tasker_store::{PruneReport, Retention, Store, StoreError};

/// Tasks removed in one transaction.
const BATCH: u32 = 200;
/// The pause between two transactions, so that work goes first.
const BREATH: Duration = Duration::from_millis(50);

/// Removes tasks that ended longer ago than they are to be kept, in small transactions.
pub struct Pruner {
    store: Arc<dyn Store>,
    retention: Retention,
}

impl std::fmt::Debug for Pruner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pruner").field("retention", &self.retention).finish_non_exhaustive()
    }
}

impl Pruner {
    /// A pruner on a store.
    pub fn new(store: Arc<dyn Store>, retention: Retention) -> Self {
        Self { store, retention }
    }

    /// Removes everything that is too old by now, and says how many tasks that were.
    ///
    /// # Errors
    ///
    /// Only the store's; what was removed before stays removed.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any time.
    pub async fn prune(&self) -> Result<u64, StoreError> {
        let mut tasks = 0;
        loop {
            let PruneReport { tasks: removed, more } = self.store.prune(self.retention, BATCH).await?;
            tasks += removed;
            if !more || removed == 0 {
                return Ok(tasks);
            }
            tokio::time::sleep(BREATH).await;
        }
    }
}
