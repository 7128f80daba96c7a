//! A round of deliveries: what one process does while it holds the place of a subscriber.

use std::sync::Arc;
use std::time::Duration;

use tasker_store::{FeedPage, StoreError};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::courier::Delivered;
use crate::follower::{Follower, Grip};
use crate::lanes::{Lane, Lanes};
use crate::mapping::events_of;
use crate::names::Names;
use crate::patience::Patience;
use crate::receiver::Manner;
use crate::window::Window;
use crate::wire::Notice;

/// So many transitions are read at once.
const PAGE: u32 = 256;
/// No more is read while so many wanted transitions lie between the place and the end of what was read.
const WINDOW: usize = 1_024;
/// Hints may be lost: the feed is looked at so often without one.
const FALLBACK: Duration = Duration::from_secs(30);
/// What comes within so short a time is read together.
const PACE: Duration = Duration::from_millis(20);
/// Where nothing was delivered, the place moves so often at most.
const IDLE_MOVE: Duration = Duration::from_secs(5);
/// Attempts that have begun get so long at the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The process stops; the place is given back.
    Shutdown,
    /// The place is another's, or may be.
    Lost,
}

/// The place is another's, or may be: nothing more may be delivered.
struct Lost;

/// What a delivery was of, and how it ended.
struct Delivery {
    lane: Lane,
    seqs: Vec<i64>,
    ended: Delivered,
}

/// A round of deliveries. Whatever is in flight is dropped with it.
pub(crate) struct Round<'a> {
    follower: &'a Follower,
    grip: Grip,
    manner: Manner,
    window: Window,
    lanes: Lanes,
    deliveries: JoinSet<Delivery>,
    /// Cancelled when deliveries are to wait no longer.
    farewell: CancellationToken,
    names: Names,
    news: News,
    patience: Patience,
    /// The position that the store knows.
    moved_to: i64,
    move_at: Instant,
}

/// When to read the feed again.
struct News {
    hints: watch::Receiver<u64>,
    /// Whether there is more, for all that is known.
    more: bool,
    not_before: Instant,
    fallback_at: Instant,
}

impl<'a> Round<'a> {
    pub(crate) fn new(follower: &'a Follower, grip: Grip) -> Self {
        let now = Instant::now();
        let manner = follower.courier.receiver.manner();
        let hints = follower.store.wake().feed();
        Self {
            follower,
            grip,
            manner,
            window: Window::at(grip.position),
            lanes: Lanes::new(manner.order),
            deliveries: JoinSet::new(),
            farewell: CancellationToken::new(),
            names: Names::new(Arc::clone(&follower.store)),
            news: News { hints, more: true, not_before: now, fallback_at: now },
            patience: Patience::with_the_store(),
            moved_to: grip.position,
            move_at: now + IDLE_MOVE,
        }
    }

    pub(crate) async fn run(mut self) -> End {
        let subscriber = self.follower.settings.name.as_str();
        tracing::info!(
            subscriber,
            position = self.moved_to,
            "a subscriber's events are delivered by this process"
        );
        loop {
            match self.turn().await {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(Lost) => {
                    tracing::warn!(
                        subscriber,
                        "a subscriber's place is another's, or may be; its deliveries stop"
                    );
                    return End::Lost;
                }
            }
        }
    }

    async fn turn(&mut self) -> Result<Option<End>, Lost> {
        self.send_out();
        self.follower.courier.tally.wait(self.window.len());
        let has_moved = self.window.position() > self.moved_to;
        let has_room = self.window.len() < WINDOW;
        tokio::select! {
            () = self.follower.shutdown.cancelled() => return self.part().await.map(Some),
            () = sleep_until(self.grip.renew_at) => self.renew().await?,
            () = sleep_until(self.move_at), if has_moved => self.move_place().await?,
            Some(ended) = self.deliveries.join_next() => self.settle(ended).await?,
            () = self.news.arrival(), if has_room => self.read().await?,
        }
        Ok(None)
    }

    /// Starts as many deliveries as may be in flight.
    fn send_out(&mut self) {
        while self.deliveries.len() < self.manner.in_flight {
            let Some((lane, notices)) = self.lanes.next(self.manner.batch) else { return };
            let courier = Arc::clone(&self.follower.courier);
            let farewell = self.farewell.clone();
            self.deliveries.spawn(async move {
                let ended = courier.deliver(&notices, &farewell).await;
                Delivery { lane, seqs: notices.iter().map(|notice| notice.seq).collect(), ended }
            });
        }
    }

    /// Takes note of what was delivered, and of all else that was by now, and moves the place.
    async fn settle(&mut self, ended: Result<Delivery, JoinError>) -> Result<(), Lost> {
        self.note(ended);
        while let Some(ended) = self.deliveries.try_join_next() {
            self.note(ended);
        }
        self.move_place().await
    }

    fn note(&mut self, ended: Result<Delivery, JoinError>) {
        let delivery = match ended {
            Ok(delivery) => delivery,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return,
            },
        };
        if delivery.ended == Delivered::Settled {
            delivery.seqs.iter().for_each(|seq| self.window.take(*seq));
            self.lanes.back(delivery.lane);
        }
    }

    /// Says to the store how far everything is taken.
    async fn move_place(&mut self) -> Result<(), Lost> {
        self.move_at = Instant::now() + IDLE_MOVE;
        let position = self.window.position();
        if position <= self.moved_to {
            return Ok(());
        }
        let follower = self.follower;
        let place = follower.place();
        let moved = follower.cursors.move_cursor(&place, follower.holder, position);
        match timeout_at(self.grip.until, moved).await {
            Ok(Ok(true)) => self.moved_to = position,
            Ok(Ok(false)) | Err(_) => return Err(Lost),
            // It is tried again with the next move.
            Ok(Err(error)) => follower.note_failure("move its place", &error),
        }
        Ok(())
    }

    async fn renew(&mut self) -> Result<(), Lost> {
        match timeout_at(self.grip.until, self.follower.hold(self.moved_to)).await {
            Ok(Ok(Some(grip))) => self.grip = grip,
            Ok(Ok(None)) | Err(_) => return Err(Lost),
            Ok(Err(error)) => {
                self.follower.note_failure("go on holding its place", &error);
                // The time it still holds is shared out over the attempts to renew it.
                let left = self.grip.until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(Lost);
                }
                self.grip.renew_at = Instant::now() + (left / 4).max(Duration::from_millis(10)).min(left);
            }
        }
        Ok(())
    }

    /// Reads on in the feed.
    async fn read(&mut self) -> Result<(), Lost> {
        self.news.is_read();
        let until = self.grip.until;
        let Ok(read) = timeout_at(until, self.read_page()).await else { return Err(Lost) };
        match read {
            Ok((page, notices)) => {
                self.patience = Patience::with_the_store();
                self.news.more = page.transitions.len() >= PAGE as usize;
                for notice in notices {
                    self.window.expect(notice.seq);
                    self.lanes.push(notice);
                }
                self.window.read_to(page.next);
            }
            Err(error) => {
                self.follower.note_failure("read the feed", &error);
                self.news.more = true;
                self.news.not_before = Instant::now() + self.patience.next();
            }
        }
        Ok(())
    }

    /// A stretch of the feed, and what of it is wanted.
    async fn read_page(&mut self) -> Result<(FeedPage, Vec<Notice>), StoreError> {
        let page = self.follower.store.feed(self.window.end(), PAGE).await?;
        let settings = &self.follower.settings;
        let mut notices = Vec::new();
        for transition in &page.transitions {
            let events = events_of(transition).iter().copied().enumerate();
            let wanted: Vec<_> = events.filter(|(_, event)| settings.selection.wants(*event)).collect();
            if wanted.is_empty() {
                continue;
            }
            // A task that is gone was pruned since the page was read, and its transitions with it.
            let Some(named) = self.names.of(transition.task).await? else { continue };
            if settings.selection.wants_of(&named.kinds.task) {
                let told = wanted.into_iter();
                notices.extend(told.map(|event| Notice::new(&settings.source, transition, event, &named)));
            }
        }
        Ok((page, notices))
    }

    /// Lets attempts that have begun come to their end, and gives the place back.
    async fn part(&mut self) -> Result<End, Lost> {
        self.farewell.cancel();
        let until = self.grip.until.min(Instant::now() + FAREWELL);
        while let Ok(Some(ended)) = timeout_at(until, self.deliveries.join_next()).await {
            self.note(ended);
        }
        self.deliveries.shutdown().await;
        self.move_place().await?;
        let place = self.follower.place();
        let released = self.follower.cursors.release_cursor(&place, self.follower.holder);
        if let Ok(Err(error)) = timeout_at(self.grip.until, released).await {
            self.follower.note_failure("give its place back", &error);
        }
        Ok(End::Shutdown)
    }
}

impl News {
    /// Returns when the feed is to be read. Nothing is lost if this is dropped.
    async fn arrival(&mut self) {
        sleep_until(self.not_before).await;
        if self.more {
            return;
        }
        tokio::select! {
            Ok(()) = self.hints.changed() => {}
            () = sleep_until(self.fallback_at) => {}
        }
    }

    /// Says that the feed is about to be read: hints from now on are of what comes later.
    fn is_read(&mut self) {
        self.hints.mark_unchanged();
        self.not_before = Instant::now() + if self.more { Duration::ZERO } else { PACE };
        self.fallback_at = Instant::now() + FALLBACK;
    }
}
