//! Places in memory that tests can look at, take away and let fail.

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

#[derive(Default)]
pub(crate) struct Places {
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
    /// Waits until something is true of the places.
    pub(crate) async fn until(&self, is_true: impl Fn(&Self) -> bool) {
        let mut changes = self.changes.subscribe();
        let wait = async {
            while !is_true(self) {
                changes.changed().await.expect("the places live");
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("in time");
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
    pub(crate) fn take_away(&self) {
        let thief = WorkerId::new(Timestamp::from_micros(0), 99);
        for place in self.by_name.lock().expect("nobody panicked").values_mut() {
            place.holder = Some((thief, Instant::now() + Duration::from_secs(600)));
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
        let now = Instant::now();
        let mut places = self.by_name.lock().expect("nobody panicked");
        let place = places.entry(name.to_owned()).or_insert(Place { position: start, holder: None });
        if place.holder.is_some_and(|(other, until)| other != holder && until > now) {
            return Ok(None);
        }
        place.holder = Some((holder, now + lease));
        let position = place.position;
        drop(places);
        self.holds.fetch_add(1, Ordering::SeqCst);
        self.change();
        Ok(Some(Cursor { position, until: Timestamp::from_micros(0) }))
    }

    async fn move_cursor(&self, name: &str, holder: WorkerId, position: i64) -> Result<bool, StoreError> {
        self.fault()?;
        let mut places = self.by_name.lock().expect("nobody panicked");
        let Some(place) = places.get_mut(name) else { return Ok(false) };
        if place.holder.is_none_or(|(other, _)| other != holder) {
            return Ok(false);
        }
        place.position = place.position.max(position);
        drop(places);
        self.change();
        Ok(true)
    }

    async fn release_cursor(&self, name: &str, holder: WorkerId) -> Result<(), StoreError> {
        self.fault()?;
        let mut places = self.by_name.lock().expect("nobody panicked");
        if let Some(place) =
            places.get_mut(name).filter(|place| place.holder.is_some_and(|(own, _)| own == holder))
        {
            place.holder = None;
        }
        drop(places);
        self.change();
        Ok(())
    }

    async fn cursors(&self) -> Result<Vec<CursorRecord>, StoreError> {
        let places = self.by_name.lock().expect("nobody panicked");
        let record = |(name, place): (&String, &Place)| CursorRecord {
            name: name.clone(),
            position: place.position,
            holder: place.holder.map(|(holder, _)| (holder, Timestamp::from_micros(0))),
            moved_at: Timestamp::from_micros(0),
        };
        Ok(places.iter().map(record).collect())
    }
}
