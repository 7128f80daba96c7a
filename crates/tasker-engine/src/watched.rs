//! A store that is watched: whoever waits for a task is told when the store fails its worker, and when it goes on.
//!
//! The worker tries again what fails, without a word; a person who waits would see a step at work for ever.

mod rest;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{LeaseKey, WorkerId};
use tasker_store::{
    ClaimRequest, CommitReport, Lease, Renewed, SettleReply, SettleRequest, Store, StoreError, WorkStore,
};
use tokio::time::Instant;

/// Failures are borne so long before they are told.
const BORNE: Duration = Duration::from_secs(3);
/// An answer is waited for so long before that is told.
const UNANSWERED: Duration = Duration::from_secs(6);

/// A store that is watched.
pub struct Watched {
    store: Arc<dyn Store>,
    watch: Watch,
}

/// What is asked of the store, the most telling first; the words go after "failed to" and "to".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    /// What steps came to is recorded.
    Settle,
    /// Steps are claimed.
    Claim,
    /// Leases are renewed.
    Renew,
    /// What steps need is read.
    Read,
    /// How the task goes on is read.
    Follow,
}

/// How a store does, in words if it is not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreHealth {
    /// It answers.
    Well,
    /// It has not answered for a while.
    Silent(String),
    /// It has failed for a while.
    Failing(String),
}

/// How the store does its work.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<BTreeMap<Asked, Standing>>>);

/// How one kind of work goes.
#[derive(Debug, Default)]
struct Standing {
    /// Since when no request has been answered well, if there is one.
    since: Option<Instant>,
    /// How many requests are not answered.
    open: u32,
    /// Why the latest one failed.
    failure: Option<String>,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("watch", &self.watch).finish_non_exhaustive()
    }
}

impl Watched {
    /// Watches `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, watch: Watch::default() }
    }

    /// What tells how it does.
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }
}

impl Watch {
    /// Carries out a request to the store, and notes how that goes.
    async fn over<T>(
        &self,
        work: Asked,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.note(work, |standing| {
            standing.since.get_or_insert_with(Instant::now);
            standing.open += 1;
        });
        let answer = request.await;
        self.note(work, |standing| standing.open = standing.open.saturating_sub(1));
        self.saw(work, answer.as_ref().err());
        answer
    }

    /// Notes how a request ended.
    fn saw(&self, work: Asked, failure: Option<&StoreError>) {
        self.note(work, |standing| {
            standing.failure = failure.map(told);
            standing.since = match failure {
                Some(_) => standing.since.or_else(|| Some(Instant::now())),
                None => Some(Instant::now()).filter(|_| standing.open > 0),
            };
        });
    }

    /// How the store does: the worst of what has lasted for a while.
    pub fn health(&self) -> StoreHealth {
        let standings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failing = standings.iter().find_map(|(work, standing)| standing.failing(*work));
        let silent = || standings.iter().find_map(|(work, standing)| standing.silent(*work));
        failing.or_else(silent).unwrap_or(StoreHealth::Well)
    }

    fn note(&self, work: Asked, change: impl FnOnce(&mut Standing)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(work).or_default());
    }
}

impl Standing {
    fn failing(&self, work: Asked) -> Option<StoreHealth> {
        let failure = self.failure.as_ref()?;
        let text = format!("failed to {}: {failure}; trying again", work.words());
        Some(StoreHealth::Failing(text)).filter(|_| self.has_lasted(BORNE))
    }

    fn silent(&self, work: Asked) -> Option<StoreHealth> {
        let text = format!("waiting for the database, to {}", work.words());
        Some(StoreHealth::Silent(text)).filter(|_| self.has_lasted(UNANSWERED))
    }

    fn has_lasted(&self, time: Duration) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= time)
    }
}

impl Asked {
    const fn words(self) -> &'static str {
        match self {
            Self::Settle => "record what steps came to",
            Self::Claim => "look for steps that are ready",
            Self::Renew => "renew the leases of steps at work",
            Self::Read => "read what steps need",
            Self::Follow => "read how the task goes on",
        }
    }
}

/// An error with its sources.
fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[async_trait]
impl WorkStore for Watched {
    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Lease>, StoreError> {
        self.watch.over(Asked::Claim, self.store.claim(request)).await
    }

    async fn renew(
        &self,
        worker: WorkerId,
        keys: Vec<LeaseKey>,
        lease: Duration,
    ) -> Result<Vec<Renewed>, StoreError> {
        self.watch.over(Asked::Renew, self.store.renew(worker, keys, lease)).await
    }

    async fn settle(&self, request: SettleRequest) -> Result<SettleReply, StoreError> {
        let work = if request.settlements.is_empty() { Asked::Claim } else { Asked::Settle };
        self.watch.over(work, self.store.settle(request)).await
    }

    fn commit_report(&self) -> CommitReport {
        self.store.commit_report()
    }
}

#[cfg(test)]
mod tests {
    use tasker_sqlite::{SqliteOptions, SqliteStore};
    use tasker_store::SettleRequest;

    use super::*;

    fn unavailable() -> StoreError {
        StoreError::Unavailable(Arc::new(std::io::Error::other("database is locked")))
    }

    const LOCKED: &str = "failed to record what steps came to: the database is not available: database is locked; trying again";

    #[tokio::test(start_paused = true)]
    async fn failures_are_told_after_a_while_and_until_an_answer_comes() {
        let watch = Watch::default();
        watch.saw(Asked::Settle, Some(&unavailable()));
        assert_eq!(watch.health(), StoreHealth::Well);
        tokio::time::advance(BORNE).await;
        watch.saw(Asked::Settle, Some(&unavailable()));
        watch.saw(Asked::Claim, None);
        assert_eq!(watch.health(), StoreHealth::Failing(LOCKED.to_owned()));
        watch.saw(Asked::Settle, None);
        assert_eq!(watch.health(), StoreHealth::Well);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_not_answer_is_told_of() {
        let watch = Watch::default();
        let asked = {
            let watch = watch.clone();
            tokio::spawn(
                async move { watch.over(Asked::Renew, std::future::pending::<Result<(), _>>()).await },
            )
        };
        // sleep: the time is paused
        tokio::time::sleep(UNANSWERED).await;
        let told = "waiting for the database, to renew the leases of steps at work";
        assert_eq!(watch.health(), StoreHealth::Silent(told.to_owned()));
        asked.abort();
    }

    #[tokio::test]
    async fn what_the_store_fails_is_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db").display().to_string();
        let store = SqliteStore::open(&path, SqliteOptions::default()).await.expect("opened");
        let store = Arc::new(store);
        let watched = Watched::new(Arc::clone(&store) as Arc<_>);
        store.close().await.expect("closed");
        let request = SettleRequest { settlements: Vec::new(), claim: None };
        assert!(watched.settle(request).await.is_err());
        let standings = watched.watch.0.lock().expect("nobody panicked");
        assert_eq!(standings[&Asked::Claim].failure.as_deref(), Some("the store is closed"));
    }
}
