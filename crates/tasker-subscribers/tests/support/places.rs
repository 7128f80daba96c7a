//! The places of a store, which tests can look at, take away and let fail.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{Timestamp, WorkerId};
use tasker_store::{Cursor, CursorRecord, CursorStore, StoreError};
use tokio::sync::watch;
use tokio::time::Instant;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);
/// The lease of who takes a place away.
const LONG: Duration = Duration::from_mins(10);

pub(crate) struct Places {
    store: Arc<dyn CursorStore>,
    /// What the store said.
    by_name: Mutex<BTreeMap<String, Place>>,
    changes: watch::Sender<u64>,
    failures: AtomicU32,
    panics: AtomicU32,
    holds: AtomicU32,
}

#[derive(Clone, Copy)]
struct Place {
    position: i64,
    holder: Option<(WorkerId, Instant)>,
}

impl Places {
    pub(crate) fn of(store: Arc<dyn CursorStore>) -> Self {
        Self {
            store,
            by_name: Mutex::default(),
            changes: watch::Sender::default(),
            failures: AtomicU32::default(),
            panics: AtomicU32::default(),
            holds: AtomicU32::default(),
        }
    }

    /// Waits until something is true of the places.
    pub(crate) async fn until(&self, is_true: impl Fn(&Self) -> bool) {
        self.within(PATIENCE, is_true).await;
    }

    /// The same, for so long at most.
    pub(crate) async fn within(&self, patience: Duration, is_true: impl Fn(&Self) -> bool) {
        let mut changes = self.changes.subscribe();
        let wait = async {
            while !is_true(self) {
                changes.changed().await.expect("the places live");
            }
        };
        tokio::time::timeout(patience, wait).await.expect("in time");
    }

    /// The position of the only place.
    pub(crate) fn position(&self) -> Option<i64> {
        self.by_name.lock().expect("nobody panicked").values().next().map(|place| place.position)
    }

    pub(crate) fn is_held(&self) -> bool {
        let places = self.by_name.lock().expect("nobody panicked");
        places.values().any(|place| place.holder.is_some_and(|(_, until)| until > Instant::now()))
    }

    /// Gives every place to somebody else, for long.
    pub(crate) async fn take_away(&self) {
        let thief = WorkerId::new(Timestamp::from_micros(0), 99);
        let names: Vec<String> = self.by_name.lock().expect("nobody panicked").keys().cloned().collect();
        for name in names {
            // Whoever holds it may go on holding it in between.
            while self.store.hold_cursor(&name, thief, LONG, 0).await.expect("it is open").is_none() {
                let holder = self.by_name.lock().expect("nobody panicked")[&name].holder;
                let (holder, _) = holder.expect("somebody holds it");
                self.store.release_cursor(&name, holder).await.expect("it is open");
            }
        }
    }

    /// How often a place was taken, or held on to.
    pub(crate) fn holds(&self) -> u32 {
        self.holds.load(Ordering::SeqCst)
    }

    /// Lets the next calls fail.
    pub(crate) fn fail(&self, calls: u32) {
        self.failures.store(calls, Ordering::SeqCst);
    }

    /// Lets the next call panic.
    pub(crate) fn panic_once(&self) {
        self.panics.store(1, Ordering::SeqCst);
    }

    fn fault(&self) -> Result<(), StoreError> {
        let left = |count: &AtomicU32| {
            let less = |left: u32| left.checked_sub(1);
            count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
        };
        assert!(!left(&self.panics), "a panic was asked for");
        if left(&self.failures) {
            return Err(StoreError::Unavailable(Arc::new(io::Error::other("asked for"))));
        }
        Ok(())
    }

    fn change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

#[async_trait]
impl CursorStore for Places {
    async fn hold_cursor(
        &self,
        name: &str,
        holder: WorkerId,
        lease: Duration,
        start: i64,
    ) -> Result<Option<Cursor>, StoreError> {
        self.fault()?;
        let asked_at = Instant::now();
        let held = self.store.hold_cursor(name, holder, lease, start).await?;
        if let Some(cursor) = held {
            let place = Place { position: cursor.position, holder: Some((holder, asked_at + lease)) };
            self.by_name.lock().expect("nobody panicked").insert(name.to_owned(), place);
            self.holds.fetch_add(1, Ordering::SeqCst);
            self.change();
        }
        Ok(held)
    }

    async fn move_cursor(&self, name: &str, holder: WorkerId, position: i64) -> Result<bool, StoreError> {
        self.fault()?;
        let moved = self.store.move_cursor(name, holder, position).await?;
        if moved && let Some(place) = self.by_name.lock().expect("nobody panicked").get_mut(name) {
            place.position = place.position.max(position);
        }
        self.change();
        Ok(moved)
    }

    async fn release_cursor(&self, name: &str, holder: WorkerId) -> Result<(), StoreError> {
        self.fault()?;
        self.store.release_cursor(name, holder).await?;
        if let Some(place) = self.by_name.lock().expect("nobody panicked").get_mut(name) {
            place.holder = place.holder.filter(|(other, _)| *other != holder);
        }
        self.change();
        Ok(())
    }

    async fn cursors(&self) -> Result<Vec<CursorRecord>, StoreError> {
        self.store.cursors().await
    }
}
