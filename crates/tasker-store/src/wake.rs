//! Hints that something was committed, or is about to become due.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tasker_core::Timestamp;
use tokio::sync::watch;

/// So many coming moments are remembered; later ones are left to the poll.
const REMEMBERED: usize = 100_000;
/// Moments are remembered to the millisecond, rounded up.
const GRAIN_MICROS: i64 = 1_000;

/// Hints that something was committed, for those who would otherwise have to poll.
///
/// A hint carries nothing and may come for nothing, or be lost when it comes from another process:
/// whoever waits for one looks into the store afterwards, and looks now and then without one.
#[derive(Debug, Clone)]
pub struct Wake {
    ready: watch::Sender<u64>,
    feed: watch::Sender<u64>,
    verdicts: watch::Sender<u64>,
    revoked: watch::Sender<u64>,
    next_due: watch::Sender<Option<Timestamp>>,
    due: Arc<Mutex<BTreeSet<Timestamp>>>,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            ready: watch::Sender::new(0),
            feed: watch::Sender::new(0),
            verdicts: watch::Sender::new(0),
            revoked: watch::Sender::new(0),
            next_due: watch::Sender::new(None),
            due: Arc::default(),
        }
    }
}

impl Wake {
    /// Says that steps became ready.
    pub fn steps_are_ready(&self) {
        self.ready.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Says that the feed has grown.
    pub fn feed_has_grown(&self) {
        self.feed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Says that a task may have ended, or gone on after its end.
    pub fn tasks_are_judged(&self) {
        self.verdicts.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Says that leases may have been taken away: what was at work was cancelled, or taken for dead.
    pub fn leases_are_revoked(&self) {
        self.revoked.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Says that a step becomes ready at `time`, by the store's clock.
    pub fn due_at(&self, time: Timestamp) {
        let grains = time.as_micros().div_euclid(GRAIN_MICROS).saturating_add(1);
        let time = Timestamp::from_micros(grains.saturating_mul(GRAIN_MICROS));
        let mut due = self.due();
        if due.len() >= REMEMBERED && due.last().is_some_and(|last| *last <= time) {
            return;
        }
        due.insert(time);
        if due.len() > REMEMBERED {
            due.pop_last();
        }
        let first = due.first().copied();
        self.next_due.send_if_modified(|next| std::mem::replace(next, first) != first);
    }

    /// Forgets what is due at `now`, and says whether that was anything.
    pub fn take_due(&self, now: Timestamp) -> bool {
        let mut due = self.due();
        let later = due.split_off(&Timestamp::from_micros(now.as_micros().saturating_add(1)));
        let passed = std::mem::replace(&mut *due, later);
        let first = due.first().copied();
        self.next_due.send_if_modified(|next| std::mem::replace(next, first) != first);
        !passed.is_empty()
    }

    /// Changes whenever steps may have become ready.
    pub fn ready(&self) -> watch::Receiver<u64> {
        self.ready.subscribe()
    }

    /// Changes whenever the feed may have grown.
    pub fn feed(&self) -> watch::Receiver<u64> {
        self.feed.subscribe()
    }

    /// Changes whenever a task may have ended: more seldom than the feed grows.
    pub fn verdicts(&self) -> watch::Receiver<u64> {
        self.verdicts.subscribe()
    }

    /// Changes whenever leases may have been taken away.
    pub fn revoked(&self) -> watch::Receiver<u64> {
        self.revoked.subscribe()
    }

    /// When the next step becomes ready, as far as this process knows.
    pub fn next_due(&self) -> watch::Receiver<Option<Timestamp>> {
        self.next_due.subscribe()
    }

    fn due(&self) -> MutexGuard<'_, BTreeSet<Timestamp>> {
        // The set is true after every single operation, also if a holder of the lock panicked.
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_told_once_and_never_early() {
        let wake = Wake::default();
        let at = Timestamp::from_micros;
        wake.due_at(at(5_500));
        wake.due_at(at(2_100));
        assert_eq!(*wake.next_due().borrow(), Some(at(3_000)));
        assert!(!wake.take_due(at(2_999)));
        assert!(wake.take_due(at(3_000)));
        assert!(!wake.take_due(at(3_000)));
        assert_eq!(*wake.next_due().borrow(), Some(at(6_000)));
    }
}
