//! The Scheduler: tells workers when waiting steps become due, without scanning.

use std::sync::Arc;
use std::time::Duration;

use tasker_core::Timestamp;
use tasker_store::{Deadlines, Store, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What was learnt of the store's clock is good for so long: the machine may be suspended, and a clock put
/// right, while the local time goes on undisturbed.
const FRESH: Duration = Duration::from_mins(1);

/// Tells workers when steps that wait for a time become due.
///
/// A claim takes whatever is due by the store's clock; the scheduler only says when it is worth while
/// to claim. It learns of coming moments from the commits of its own process, and now and then from the
/// store, for those of processes that are gone.
///
/// Whoever runs one looks, signals, and looks again whenever signalling ends.
pub struct Scheduler {
    store: Arc<dyn Store>,
    /// The store's clock at a moment of the local one.
    reference: Option<(Timestamp, Instant)>,
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler").field("reference", &self.reference).finish_non_exhaustive()
    }
}

impl Scheduler {
    /// A scheduler on a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, reference: None }
    }

    /// Asks the store what it waits for, and remembers when its next step is due.
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn look(&mut self) -> Result<Deadlines, StoreError> {
        let deadlines = self.store.deadlines().await?;
        self.reference = Some((deadlines.now, Instant::now()));
        if let Some(time) = deadlines.next_ready_at {
            self.store.wake().due_at(time);
        }
        Ok(deadlines)
    }

    /// Signals what becomes due, until `shutdown`, or until it is time for another [`Scheduler::look`]: a
    /// minute after the last one, if something waits. Needs one look before, and ends at once without.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any time.
    pub async fn signal_due(&self, shutdown: &CancellationToken) {
        let mut next_due = self.store.wake().next_due();
        while let Some(fresh) = self.fresh_for() {
            let due = *next_due.borrow_and_update();
            let sleep = due.map(|time| self.until(time).min(fresh));
            tokio::select! {
                () = shutdown.cancelled() => return,
                // The store that is held here holds the sender: it is never closed.
                Ok(()) = next_due.changed() => {}
                () = tokio::time::sleep(sleep.unwrap_or(Duration::MAX)), if sleep.is_some() => {
                    if self.store.wake().take_due(self.now()) {
                        self.store.wake().steps_are_ready();
                    }
                }
            }
        }
    }

    /// For how long the store's clock is still known; `None` if it is not.
    fn fresh_for(&self) -> Option<Duration> {
        let (_, looked) = self.reference?;
        FRESH.checked_sub(looked.elapsed()).filter(|left| !left.is_zero())
    }

    /// The present by the store's clock, as the local one carries it on.
    fn now(&self) -> Timestamp {
        self.reference
            .map_or(Timestamp::from_micros(i64::MAX), |(time, instant)| time.plus(instant.elapsed()))
    }

    fn until(&self, time: Timestamp) -> Duration {
        time.since(self.now()).max(Duration::from_millis(1))
    }
}
