//! The watch that the Rescuer keeps.

use std::future;
use std::sync::Arc;
use std::time::Duration;

use tasker_store::{Store, StoreError};
use tokio::sync::watch;

use super::patience::Patience;
use super::{AgentSettings, note_failure};
use crate::rescuer::Rescuer;

/// A lease has run out when its time has come; the clock of the store may be a little behind.
const MARGIN: Duration = Duration::from_millis(10);
/// What could not be rescued at once is tried again so soon.
const AGAIN: Duration = Duration::from_secs(1);

/// Looks at the store when a lease may have run out: soon while there is work, rarely while there is none.
pub(super) async fn keep_watch(store: Arc<dyn Store>, mut rescuer: Rescuer, settings: AgentSettings) {
    let mut hints = store.wake().feed();
    let mut patience = Patience::with_the_store();
    loop {
        hints.mark_unchanged();
        let wait = match watch_once(&store, &mut rescuer).await {
            Ok(next_expiry) => {
                patience = Patience::with_the_store();
                next_expiry.unwrap_or(settings.idle_interval).min(settings.idle_interval)
            }
            Err(error) => {
                note_failure("rescue what has run out", &error);
                patience.next()
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = first_hint_then(&mut hints, settings.rescue_interval) => {}
        }
    }
}

/// Waits for a sign of work, and then a while.
async fn first_hint_then(hints: &mut watch::Receiver<u64>, wait: Duration) {
    if hints.changed().await.is_err() {
        future::pending::<()>().await;
    }
    tokio::time::sleep(wait).await;
}

/// Rescues what has run out, and says how long it is until the next lease does.
async fn watch_once(store: &Arc<dyn Store>, rescuer: &mut Rescuer) -> Result<Option<Duration>, StoreError> {
    let deadlines = store.deadlines().await?;
    if let Some(time) = deadlines.next_ready_at {
        store.wake().due_at(time);
    }
    let Some(expiry) = deadlines.next_expiry else { return Ok(None) };
    if expiry > deadlines.now {
        return Ok(Some(expiry.since(deadlines.now) + MARGIN));
    }
    let attempts = rescuer.rescue().await?;
    if attempts > 0 {
        tracing::warn!(attempts, "attempts were rescued from workers that went away");
    }
    Ok(Some(AGAIN))
}
