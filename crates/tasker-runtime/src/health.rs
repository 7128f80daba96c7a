//! Whether the process can do its work, as it tells those who ask over HTTP.

mod status;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tasker_api::{Check, Readiness, Status};
use tasker_events::{Event, Events};
use tasker_store::FeedStore;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use status::{Fares, Figures};

/// However many ask, the database is asked no more often than this.
const FRESH: Duration = Duration::from_secs(1);
/// A database that was well is given so long to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// While the database is known to be down, an answer waits no longer than this for news.
const SHORT: Duration = Duration::from_millis(200);

/// The readiness of a process.
///
/// It is not ready before the store is open, and not ready any more when the process is told to stop. In between it is
/// as the database is. One look at the database serves all who ask at the same time; while the database is down, they
/// are told so at once.
pub struct Health {
    shutdown: CancellationToken,
    events: Events,
    probe: Mutex<Option<Probe>>,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

/// Looks at a store, once at a time.
#[derive(Clone)]
struct Probe {
    store: Arc<dyn FeedStore>,
    events: Events,
    looks: watch::Sender<Look>,
}

/// The last look at the store, and since when the next is under way.
#[derive(Clone, Default)]
struct Look {
    last: Option<(Instant, Check)>,
    since: Option<Instant>,
}

impl Health {
    /// The readiness of a process that has no store yet, and is told to stop by `shutdown`. That it becomes unwell, or
    /// well again, is told as events.
    pub fn new(shutdown: CancellationToken, events: Events) -> Arc<Self> {
        Arc::new(Self { shutdown, events, probe: Mutex::new(None) })
    }

    /// The store is open, its schema up to date.
    pub fn opened(&self, store: Arc<dyn FeedStore>) {
        let probe = Probe { store, events: self.events.clone(), looks: watch::Sender::default() };
        *self.probe.lock().unwrap_or_else(PoisonError::into_inner) = Some(probe);
    }

    fn probe(&self) -> Option<Probe> {
        self.probe.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Readiness for Health {
    async fn checks(&self) -> Vec<Check> {
        let process = if self.shutdown.is_cancelled() {
            Check::failed("process", "it is about to stop and takes no new work")
        } else {
            Check::ok("process")
        };
        match self.probe() {
            None => {
                let waiting = Check::failed("database", "the process starts and waits for the database");
                vec![process, waiting, Check::failed("migrations", "the database is not open yet")]
            }
            Some(probe) => vec![process, probe.check().await, Check::ok("migrations")],
        }
    }
}

impl Probe {
    /// How the database is: by a look that is fresh, by one that is under way, or by a new one.
    async fn check(&self) -> Check {
        let look = self.looks.borrow().clone();
        if let Some(check) = look.fresh() {
            return check.clone();
        }
        let mut looks = self.looks.subscribe();
        self.start();
        let news = async move {
            looks.wait_for(|look| look.since.is_none()).await.ok().and_then(|look| look.check())
        };
        let trouble = look.trouble();
        let patience = if trouble.is_some() { SHORT } else { PATIENCE };
        let news = tokio::time::timeout(patience, news).await.ok().flatten();
        news.or(trouble).unwrap_or_else(|| no_answer_for(PATIENCE))
    }

    /// Starts a look, unless one is under way. It goes on also if nobody waits for it.
    fn start(&self) {
        let start = Instant::now();
        let is_started = self.looks.send_if_modified(|look| {
            let is_idle = look.since.is_none();
            look.since = look.since.or(Some(start));
            is_idle
        });
        if !is_started {
            return;
        }
        let Self { store, events, looks } = self.clone();
        tokio::spawn(async move {
            let check = match store.feed_end().await {
                Ok(_) => Check::ok("database").after(start.elapsed()),
                // Only the message of the error itself: its sources may hold addresses and names.
                Err(error) => Check::failed("database", error.to_string()),
            };
            let before = looks.borrow().check().map(|check| check.status);
            tell(&events, before.as_ref(), &check);
            looks.send_replace(Look { last: Some((Instant::now(), check)), since: None });
        });
    }
}

impl Look {
    fn check(&self) -> Option<Check> {
        self.last.as_ref().map(|(_, check)| check.clone())
    }

    fn fresh(&self) -> Option<&Check> {
        self.last.as_ref().filter(|(time, _)| time.elapsed() < FRESH).map(|(_, check)| check)
    }

    /// What is known to be wrong: the last look failed, or the one under way takes long.
    fn trouble(&self) -> Option<Check> {
        let failed = self.check().filter(|check| check.status != Status::Ok);
        let seconds = self.since.map(|since| since.elapsed()).filter(|time| *time > FRESH);
        failed.or_else(|| seconds.map(no_answer_for))
    }
}

/// Tells that a check failed that had not failed before, or is well again.
fn tell(events: &Events, before: Option<&Status>, check: &Check) {
    let failed_before = matches!(before, Some(Status::Failed(_)));
    match &check.status {
        Status::Failed(reason) if !failed_before => {
            events.emit(&Event::HealthDegraded { check: check.name, reason });
        }
        Status::Ok | Status::Degraded(_) if failed_before => {
            events.emit(&Event::HealthRestored { check: check.name });
        }
        Status::Ok | Status::Degraded(_) | Status::Failed(_) => {}
    }
}

fn no_answer_for(time: Duration) -> Check {
    Check::failed("database", format!("no answer for {} seconds", time.as_secs()))
}

#[cfg(test)]
mod tests;
