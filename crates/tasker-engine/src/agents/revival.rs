//! Agents that panic begin anew: nobody would notice the silence of one that is gone.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::patience::Patience;

/// An agent that lived so long is taken to be sound: its next panic is its first.
const SOUND: Duration = Duration::from_mins(10);

/// Keeps agents alive until the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Revival {
    shutdown: CancellationToken,
    panics: Arc<AtomicU64>,
}

impl Revival {
    /// Runs an agent until [`Revival::end`]. One that panics is begun anew, with nothing of what it had in
    /// hand, after a pause.
    ///
    /// The agent is dropped at the end, wherever it is.
    pub(super) async fn keep<F>(self, agent: &'static str, mut begin: impl FnMut() -> F)
    where
        F: Future<Output = ()>,
    {
        let mut patience = Patience::with_an_agent();
        loop {
            let begun = Instant::now();
            // What the agent had in hand goes with it; the store is as sound as after any dropped request.
            let life = AssertUnwindSafe(begin()).catch_unwind();
            let Some(Err(panic)) = self.shutdown.run_until_cancelled(life).await else { return };
            if begun.elapsed() >= SOUND {
                patience = Patience::with_an_agent();
            }
            let pause = patience.next();
            let panics = self.panics.fetch_add(1, Ordering::Relaxed) + 1;
            let (panic, pause_seconds) = (words(&*panic), pause.as_secs());
            tracing::error!(
                agent,
                panic,
                panics,
                pause_seconds,
                "an agent panicked and begins anew after a pause"
            );
            if self.shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    pub(super) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    pub(super) fn end(&self) {
        self.shutdown.cancel();
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}
