//! The Relay: carries the feed of transitions to those who follow it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use futures::stream;
use tasker_store::{Store, StoreError, Transition};
use tokio::sync::watch;

const PAGE: u32 = 500;
/// Hints may be lost: the feed is looked at so often without one.
const FALLBACK: Duration = Duration::from_secs(30);

/// Carries the feed to those who follow it. Costs nothing while nobody does.
#[derive(Clone)]
pub struct Relay {
    store: Arc<dyn Store>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").finish_non_exhaustive()
    }
}

/// Where a follower is.
struct Follower {
    store: Arc<dyn Store>,
    hints: watch::Receiver<u64>,
    cursor: i64,
    read: VecDeque<Transition>,
}

impl Relay {
    /// A relay of a store's feed.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Every transition after `cursor`, in order, for ever. No transition is skipped, in whatever order
    /// the processes committed them.
    ///
    /// # Cancel safety
    ///
    /// Go on from the `seq` of the last transition received.
    pub fn follow(&self, cursor: i64) -> impl Stream<Item = Result<Transition, StoreError>> + Send + use<> {
        let hints = self.store.wake().feed();
        let follower = Follower { store: Arc::clone(&self.store), hints, cursor, read: VecDeque::new() };
        stream::unfold(follower, |mut follower| async move {
            let next = follower.next().await;
            Some((next, follower))
        })
    }

    /// The end of the feed: following from it gives only what is yet to come.
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn end(&self) -> Result<i64, StoreError> {
        self.store.feed_end().await
    }
}

impl Follower {
    async fn next(&mut self) -> Result<Transition, StoreError> {
        loop {
            if let Some(transition) = self.read.pop_front() {
                self.cursor = transition.seq;
                return Ok(transition);
            }
            self.hints.mark_unchanged();
            let page = self.store.feed(self.cursor, PAGE).await?;
            if page.transitions.is_empty() {
                self.cursor = page.next;
                let _ = tokio::time::timeout(FALLBACK, self.hints.changed()).await;
            }
            self.read.extend(page.transitions);
        }
    }
}
