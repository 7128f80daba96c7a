//! Wake-ups between processes.
//!
//! What this process commits wakes its own waiters through [`Wake`] at once. Others are told by a
//! notification, sent outside the transactions of the work and at most once every few milliseconds, and hear
//! it on a connection of their own. A notification is a hint and may be lost. Behind a proxy that pools
//! transactions nobody listens; and where notifications are swallowed, that is found out by one to oneself. Then the
//! feed is looked at now and then instead.

mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use tasker_store::{StoreError, Wake};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::database::{Database, connect_options};
use crate::options::{Listen, PostgresOptions};
use crate::statement::{FEED_MARK, FEED_NOTIFY};

const CHANNEL: &str = "tasker";

/// The least time between two notifications.
const BETWEEN_NOTIFICATIONS: Duration = Duration::from_millis(10);
/// A notification to oneself that has not come back by then is lost.
const ECHO: Duration = Duration::from_secs(2);
/// A connection that was silent for so long is tested.
const SILENCE: Duration = Duration::from_mins(5);
/// Waits between attempts to listen: the first, and the longest.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// Where notifications are swallowed: how often the feed is looked at, and how often in a row.
const POLL: (Duration, u32) = (Duration::from_secs(3), 100);

/// The tasks that tell and hear; they end with it.
#[derive(Debug)]
pub(crate) struct Listener(Vec<AbortHandle>);

impl Listener {
    /// Begins to tell others, and to hear them if the options say so.
    pub(crate) fn start(
        url: &str,
        options: &PostgresOptions,
        database: &Arc<Database>,
        wake: &Wake,
    ) -> Result<Self, StoreError> {
        let post = Arc::new(Post {
            id: Uuid::now_v7().simple().to_string(),
            database: Arc::clone(database),
            wake: wake.clone(),
            heard: Heard::default(),
        });
        let mut tasks = vec![tokio::spawn(announce(Arc::clone(&post))).abort_handle()];
        if options.listen == Listen::On {
            let pool = PgPoolOptions::new()
                // That which listens, and one to find out whether its session is its own.
                .max_connections(2)
                .acquire_timeout(options.acquire_timeout)
                .max_lifetime(None)
                .idle_timeout(None)
                .connect_lazy_with(connect_options(url, options)?);
            tasks.push(tokio::spawn(hear(post, pool)).abort_handle());
        }
        Ok(Self(tasks))
    }

    /// Ends both tasks.
    pub(crate) fn stop(&self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What both tasks share.
struct Post {
    /// This store, so that it knows its own notifications.
    id: String,
    database: Arc<Database>,
    wake: Wake,
    heard: Heard,
}

/// How many signals came from outside: those are not told to others again.
#[derive(Default)]
struct Heard {
    ready: AtomicU64,
    feed: AtomicU64,
    revoked: AtomicU64,
}

/// Why listening ended.
enum Ended {
    /// The connection was lost.
    Lost,
    /// Notifications do not arrive, or would arrive elsewhere.
    Swallowed,
}

impl Post {
    fn signal_ready(&self) {
        self.heard.ready.fetch_add(1, Ordering::SeqCst);
        self.wake.steps_are_ready();
    }

    fn signal_feed(&self) {
        self.heard.feed.fetch_add(1, Ordering::SeqCst);
        self.wake.feed_has_grown();
        self.wake.tasks_are_judged();
    }

    fn signal_revoked(&self) {
        self.heard.revoked.fetch_add(1, Ordering::SeqCst);
        self.wake.leases_are_revoked();
    }

    fn signal_all(&self) {
        self.signal_ready();
        self.signal_feed();
        self.signal_revoked();
    }

    /// How many signals of each kind this process gave itself: ready, feed, revoked.
    fn own(&self, signals: &mut [watch::Receiver<u64>; 3]) -> [u64; 3] {
        let heard = [&self.heard.ready, &self.heard.feed, &self.heard.revoked];
        let mut own = [0; 3];
        for ((own, signal), heard) in own.iter_mut().zip(signals).zip(heard) {
            *own = signal.borrow_and_update().wrapping_sub(heard.load(Ordering::SeqCst));
        }
        own
    }

    async fn notify(&self, word: &str) -> Result<(), StoreError> {
        let payload = format!("{} {word}", self.id);
        self.database.read("notifying others", FEED_NOTIFY, &[&payload]).await.map(drop)
    }
}

/// Tells others of what this process committed.
async fn announce(post: Arc<Post>) {
    let mut signals = [post.wake.ready(), post.wake.feed(), post.wake.revoked()];
    let mut told = [0; 3];
    loop {
        let [ready, feed, revoked] = &mut signals;
        let changed = tokio::select! {
            changed = ready.changed() => changed,
            changed = feed.changed() => changed,
            changed = revoked.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
        let own = post.own(&mut signals);
        let [ready, feed, revoked] = [0, 1, 2].map(|kind| own[kind] != told[kind]);
        told = own;
        let word = match (revoked, ready, feed) {
            (true, ..) => "revoked",
            (false, true, _) => "ready",
            (false, false, true) => "feed",
            (false, false, false) => continue,
        };
        if let Err(error) = post.notify(word).await {
            tracing::debug!(%error, "others were not notified");
        }
        sleep(BETWEEN_NOTIFICATIONS).await;
    }
}

/// Hears others, for ever.
async fn hear(post: Arc<Post>, pool: PgPool) {
    let mut pause = RECONNECT.0;
    loop {
        match listen(&post, &pool, &mut pause).await {
            Ok(Ended::Lost) => tracing::info!("the listening connection was lost"),
            Ok(Ended::Swallowed) => {
                tracing::warn!(
                    "notifications cannot be heard here, as behind a proxy that pools transactions: polling"
                );
                poll(&post).await;
            }
            Err(error) => tracing::warn!(%error, "cannot listen for notifications"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(RECONNECT.1);
    }
}

async fn listen(post: &Post, pool: &PgPool, pause: &mut Duration) -> Result<Ended, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    if session::is_lent(&mut listener, pool).await? {
        return Ok(Ended::Swallowed);
    }
    listener.listen(CHANNEL).await?;
    let mut patience = ECHO;
    // Something may have been missed before.
    post.signal_all();
    if post.notify("echo").await.is_err() {
        return Ok(Ended::Lost);
    }
    let mut echoed = false;
    loop {
        let Ok(received) = timeout(patience, listener.try_recv()).await else {
            if patience == ECHO {
                return Ok(if echoed { Ended::Lost } else { Ended::Swallowed });
            }
            if post.notify("echo").await.is_err() {
                return Ok(Ended::Lost);
            }
            patience = ECHO;
            continue;
        };
        let Some(notification) = received? else { return Ok(Ended::Lost) };
        (patience, echoed, *pause) = (SILENCE, true, RECONNECT.0);
        match notification.payload().split_once(' ') {
            Some((id, _)) if id == post.id => {}
            Some((_, "feed")) => post.signal_feed(),
            Some((_, "echo")) => {}
            Some((_, "ready")) => {
                post.signal_ready();
                post.signal_feed();
            }
            // "revoked"; and whatever a newer release says, it is a hint.
            Some(_) | None => post.signal_all(),
        }
    }
}

/// Looks at the feed now and then, for some minutes.
async fn poll(post: &Post) {
    let mut seen = None;
    for _ in 0..POLL.1 {
        sleep(POLL.0).await;
        let Ok(rows) = post.database.read("polling the feed", FEED_MARK, &[&i64::MAX]).await else {
            continue;
        };
        let last: Option<i64> = rows.first().and_then(|row| row.of("transitions_seq_seq").get("last").ok());
        if last != seen {
            post.signal_all();
            seen = last;
        }
    }
}
