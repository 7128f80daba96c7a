//! Noticing what other processes write: every commit of anybody changes the file of the write-ahead log.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tasker_store::StoreError;
use tokio::sync::Notify;

use crate::writer::Writer;

/// Between two looks at the database. This process's own commits change the file as well.
const PAUSE: Duration = Duration::from_millis(50);

/// How often the file is looked at where the system does not tell when it changes.
const LOOK: Duration = Duration::from_millis(250);

/// Has `writer` look for what others wrote whenever the log changes, until the store is closed or gone.
pub(crate) async fn watch_log(database: PathBuf, writer: Weak<Writer>) {
    let mut watch = LogWatch::new(log_of(&database));
    while look(&writer).await {
        watch.changed().await;
        if !look(&writer).await {
            return;
        }
        watch.rest().await;
    }
}

/// Whether there is anybody for whom to look again.
async fn look(writer: &Weak<Writer>) -> bool {
    let Some(writer) = writer.upgrade() else { return false };
    match writer.look_for_others().await {
        Ok(()) => true,
        Err(StoreError::Closed) => false,
        Err(error) => {
            tracing::debug!(%error, "no look for what other processes wrote");
            true
        }
    }
}

/// Watches the log.
struct LogWatch {
    log: PathBuf,
    /// Nothing where the system does not tell of changes.
    watcher: Option<RecommendedWatcher>,
    changed: Arc<Notify>,
    /// How long the log is and when it was changed, as it was last seen.
    face: Option<(u64, SystemTime)>,
}

impl LogWatch {
    fn new(log: PathBuf) -> Self {
        let changed = Arc::new(Notify::new());
        let bell = Arc::clone(&changed);
        // Whatever happened, a look at the database tells more than the event.
        let watcher = notify::recommended_watcher(move |_| bell.notify_one());
        let mut watch = Self { log, watcher: watcher.ok(), changed, face: None };
        watch.start();
        watch
    }

    /// Asks to be told of changes.
    fn start(&mut self) {
        let started =
            self.watcher.as_mut().map(|watcher| watcher.watch(&self.log, RecursiveMode::NonRecursive));
        if let Some(Err(error)) = started {
            tracing::info!(%error, log = %self.log.display(), "the log is looked at, as nobody tells of its changes");
            self.watcher = None;
        }
    }

    /// Waits until the log changes.
    async fn changed(&mut self) {
        if self.watcher.is_some() {
            return self.changed.notified().await;
        }
        loop {
            let face = face_of(&self.log);
            if face != self.face {
                self.face = face;
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Is not told of changes for a while: to be told of each, while there are many, would cost more than to look.
    async fn rest(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            // If that cannot be, what it tells is not listened to.
            let _ = watcher.unwatch(&self.log);
        }
        tokio::time::sleep(PAUSE).await;
        self.start();
    }
}

fn face_of(file: &Path) -> Option<(u64, SystemTime)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// The file of the write-ahead log of a database.
fn log_of(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push("-wal");
    PathBuf::from(name)
}
