//! The spans that wait to be sent, and the counts of what became of the others.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry_sdk::trace::SpanData;
use prost::bytes::Bytes;
use tokio::sync::{Notify, watch};

use crate::database::DatabaseCall;

/// A span that waits to be sent.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// From the record of a task, as it is sent.
    Recorded(Bytes),
    /// Made while a handler ran.
    Live(Box<SpanData>),
    /// A call to the database.
    Call(Box<DatabaseCall>),
}

/// What became of the spans so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Those that the collector took.
    pub exported: u64,
    /// Those that there was no room for, or that came too late.
    pub dropped: u64,
    /// Those that the collector did not take, in spite of all repetition.
    pub failed: u64,
    /// Those that wait, or are on their way.
    pub waiting: u64,
}

/// A bounded queue that nobody waits for.
#[derive(Debug)]
pub(crate) struct Queue {
    inside: Mutex<Inside>,
    capacity: usize,
    /// From how many on they are sent without delay.
    batch: usize,
    exported: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    /// The first one came, or a batch is full, or the queue was closed.
    pub(crate) stirred: Notify,
    /// Spans were taken out.
    pub(crate) relieved: Notify,
    /// Changes whenever account was given of spans.
    pub(crate) accounts: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Inside {
    waiting: VecDeque<Waiting>,
    /// Taken out and not yet accounted for.
    on_the_way: usize,
    is_closed: bool,
}

/// How the queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Empty,
    Some,
    /// Enough for a batch.
    Batch,
    /// Nothing will come any more.
    Closed,
}

impl Queue {
    pub(crate) fn new(capacity: usize, batch: usize) -> Self {
        Self {
            inside: Mutex::default(),
            capacity: capacity.max(1),
            batch: batch.clamp(1, capacity.max(1)),
            exported: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            stirred: Notify::new(),
            relieved: Notify::new(),
            accounts: watch::Sender::new(()),
        }
    }

    /// Puts in as many as there is room for; the rest stays with the caller. In a closed queue nothing has room.
    pub(crate) fn fill(&self, spans: &mut impl ExactSizeIterator<Item = Waiting>) {
        let (before, after) = {
            let mut inside = self.lock();
            let before = inside.waiting.len();
            let room = if inside.is_closed { 0 } else { self.capacity.saturating_sub(before) };
            inside.waiting.extend(spans.by_ref().take(room));
            (before, inside.waiting.len())
        };
        let was_idle = before == 0 && after > 0;
        if was_idle || (before < self.batch && after >= self.batch) {
            self.stirred.notify_one();
        }
    }

    /// Puts in as many as there is room for, and drops the rest.
    pub(crate) fn offer(&self, mut spans: impl ExactSizeIterator<Item = Waiting>) {
        self.fill(&mut spans);
        self.drop_all(spans.len());
    }

    pub(crate) fn drop_all(&self, count: usize) {
        if count > 0 {
            self.dropped.fetch_add(count as u64, Ordering::Relaxed);
            self.accounts.send_replace(());
        }
    }

    /// Takes a batch out, of which account is to be given.
    pub(crate) fn take(&self) -> Vec<Waiting> {
        let batch: Vec<_> = {
            let mut inside = self.lock();
            let count = inside.waiting.len().min(self.batch);
            inside.on_the_way += count;
            inside.waiting.drain(..count).collect()
        };
        self.relieved.notify_waiters();
        batch
    }

    /// Gives account of spans that were taken out.
    pub(crate) fn account(&self, exported: usize, failed: usize) {
        self.lock().on_the_way -= exported + failed;
        self.exported.fetch_add(exported as u64, Ordering::Relaxed);
        self.failed.fetch_add(failed as u64, Ordering::Relaxed);
        self.accounts.send_replace(());
    }

    pub(crate) fn level(&self) -> Level {
        let inside = self.lock();
        match inside.waiting.len() {
            _ if inside.is_closed => Level::Closed,
            0 => Level::Empty,
            length if length < self.batch => Level::Some,
            _ => Level::Batch,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// From now on nothing has room.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.stirred.notify_one();
        self.relieved.notify_waiters();
    }

    /// Gives up what waits and what is on its way.
    pub(crate) fn abandon(&self) {
        let mut inside = self.lock();
        let lost = inside.waiting.len() + inside.on_the_way;
        inside.waiting.clear();
        inside.on_the_way = 0;
        self.failed.fetch_add(lost as u64, Ordering::Relaxed);
    }

    pub(crate) fn report(&self) -> Report {
        let inside = self.lock();
        Report {
            exported: self.exported.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            waiting: (inside.waiting.len() + inside.on_the_way) as u64,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
