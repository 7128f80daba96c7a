//! The Follower: waits until it holds its place in the feed, and works as long as it does.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasker_core::WorkerId;
use tasker_store::{CursorStore, Store, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::courier::Courier;
use crate::patience::Patience;
use crate::report::Standing;
use crate::round::{End, Round};
use crate::settings::{Start, SubscriberSettings};

/// What stands before the name of a subscriber in the names of places.
const PREFIX: &str = "subscriber:";

/// Follows the feed for one subscriber.
#[derive(Clone)]
pub(crate) struct Follower {
    pub(crate) settings: Arc<SubscriberSettings>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) cursors: Arc<dyn CursorStore>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) holder: WorkerId,
    pub(crate) shutdown: CancellationToken,
}

/// The right to deliver, by the clock of this process: counted from before it was asked for, so that it never seems to
/// hold longer than it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grip {
    /// Everything up to here was taken.
    pub(crate) position: i64,
    /// When it is to be renewed.
    pub(crate) renew_at: Instant,
    /// Until when it holds.
    pub(crate) until: Instant,
}

/// The name of a subscriber's place.
pub(crate) fn place_of(subscriber: &str) -> String {
    format!("{PREFIX}{subscriber}")
}

impl Follower {
    /// Works until the shutdown.
    pub(crate) async fn follow(&self) {
        let mut patience = Patience::with_the_store();
        let mut start = None;
        while !self.shutdown.is_cancelled() {
            let wait = match self.shutdown.run_until_cancelled(self.take_hold(&mut start)).await {
                None => return,
                Some(Ok(Some(grip))) => {
                    patience = Patience::with_the_store();
                    self.courier.tally.stands(Standing::Delivering);
                    let end = Round::new(self, grip).run().await;
                    self.courier.tally.stands(Standing::StandingBy);
                    match end {
                        End::Shutdown => return,
                        End::Lost => self.look_again(),
                    }
                }
                Some(Ok(None)) => self.look_again(),
                Some(Err(error)) => {
                    self.note_failure("hold its place", &error);
                    patience.next()
                }
            };
            self.shutdown.run_until_cancelled(tokio::time::sleep(wait)).await;
        }
    }

    /// Takes the place. Where it begins is looked up once: after the first answer there is one.
    async fn take_hold(&self, start: &mut Option<i64>) -> Result<Option<Grip>, StoreError> {
        let start = match (*start, self.settings.start) {
            (Some(known), _) => known,
            (None, Start::Now) => *start.insert(self.store.feed_end().await?),
            (None, Start::Beginning) => 0,
        };
        self.hold(start).await
    }

    /// Takes the place, or goes on holding it; `None` if another holds it.
    pub(crate) async fn hold(&self, start: i64) -> Result<Option<Grip>, StoreError> {
        let asked_at = Instant::now();
        let lease = self.settings.lease;
        let cursor = self.cursors.hold_cursor(&self.place(), self.holder, lease, start).await?;
        Ok(cursor.map(|cursor| Grip {
            position: cursor.position,
            renew_at: asked_at + lease / 3,
            until: asked_at + lease,
        }))
    }

    pub(crate) fn place(&self) -> String {
        place_of(&self.settings.name)
    }

    pub(crate) fn note_failure(&self, action: &str, error: &StoreError) {
        let source = error.source().map(ToString::to_string);
        tracing::warn!(subscriber = self.settings.name, %error, source, "a subscriber failed to {action}");
    }

    /// How long a process that stands by waits before it looks whether the place is free.
    fn look_again(&self) -> Duration {
        self.settings.lease / 3
    }
}
