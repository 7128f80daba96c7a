//! How a subscriber is doing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tasker_core::Timestamp;

/// How a subscriber is doing. Counts are of this process, since it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscriberReport {
    /// Its name.
    pub name: String,
    /// `webhook`, `command` or `file`.
    pub kind: &'static str,
    /// Whether this process delivers, or another does.
    pub standing: Standing,
    /// Up to which transition everything is taken or given up, by whichever process; `None` before the first.
    pub position: Option<i64>,
    /// How many numbers of the feed lie after that position: wanted or not, used or not.
    pub lag: Option<i64>,
    /// Events that this process has read, and that are not taken yet.
    pub waiting: u64,
    /// Events taken.
    pub taken: u64,
    /// Events refused for good, and passed over.
    pub refused: u64,
    /// Attempts after which another was to follow.
    pub retried: u64,
    /// How often its work panicked, and was begun anew.
    pub panics: u64,
    /// What went wrong last, if nothing was taken since.
    pub last_error: Option<String>,
    /// When the next attempt is made after the latest that failed, if nothing was taken since.
    pub paused_until: Option<Timestamp>,
}

/// Whether a process delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It holds the place in the feed, and delivers.
    Delivering,
    /// It stands by: another process holds the place, or the store cannot be asked.
    StandingBy,
}

/// Counts what becomes of a subscriber's events.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    taken: AtomicU64,
    refused: AtomicU64,
    retried: AtomicU64,
    panics: AtomicU64,
    waiting: AtomicU64,
    delivers: AtomicBool,
    trouble: Mutex<Trouble>,
}

#[derive(Debug, Default)]
struct Trouble {
    last_error: Option<String>,
    paused_until: Option<Timestamp>,
}

impl Tally {
    /// Counts events that were taken, and says whether that ends a trouble.
    pub(crate) fn took(&self, events: usize) -> bool {
        self.taken.fetch_add(events as u64, Ordering::Relaxed);
        std::mem::take(&mut *self.trouble()).last_error.is_some()
    }

    /// Counts events that were refused.
    pub(crate) fn refuse(&self, events: usize) {
        self.refused.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Counts an attempt after which another follows, and says whether the trouble is a new one.
    pub(crate) fn retry(&self, why: &str, until: Timestamp) -> bool {
        self.retried.fetch_add(1, Ordering::Relaxed);
        let mut trouble = self.trouble();
        trouble.paused_until = Some(until);
        trouble.last_error.replace(why.to_owned()).is_none()
    }

    pub(crate) fn panicked(&self) -> u64 {
        self.panics.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn stands(&self, standing: Standing) {
        self.delivers.store(standing == Standing::Delivering, Ordering::Relaxed);
        if standing == Standing::StandingBy {
            self.wait(0);
        }
    }

    pub(crate) fn wait(&self, events: usize) {
        self.waiting.store(events as u64, Ordering::Relaxed);
    }

    /// What is known without the store.
    pub(crate) fn report(&self, name: &str, kind: &'static str) -> SubscriberReport {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let delivers = self.delivers.load(Ordering::Relaxed);
        let trouble = self.trouble();
        SubscriberReport {
            name: name.to_owned(),
            kind,
            standing: if delivers { Standing::Delivering } else { Standing::StandingBy },
            position: None,
            lag: None,
            waiting: read(&self.waiting),
            taken: read(&self.taken),
            refused: read(&self.refused),
            retried: read(&self.retried),
            panics: read(&self.panics),
            last_error: trouble.last_error.clone(),
            paused_until: trouble.paused_until,
        }
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        // Two plain values are sound whoever panicked.
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
