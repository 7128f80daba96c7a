//! Keeping in the store what attempts log.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tasker_core::LeaseKey;
use tasker_handler::{LogSink, StepContext};
use tasker_store::{AttemptLog, LogLine, LogStore};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

/// So many bytes may wait to be written.
const WAITING_BYTES: usize = 4_000_000;
/// The store is given so many bytes at a time.
const BATCH_BYTES: usize = 256 * 1024;
/// What a line weighs besides its text.
const LINE_BYTES: usize = 64;
/// Lines are gathered for so long; a store that failed is left alone for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Hands each line to another sink at once, and keeps it in the store soon after. Cheap to clone.
///
/// Lines are gathered and written every second while there are any. At most 4 MB wait; what comes beyond that while the
/// store is slow or away is dropped and counted. No handler ever waits for the store. A store that is away is asked
/// again; where it wrote without its answer being heard, lines are kept twice.
///
/// When the last clone is gone, what waits is written if the store takes it at once; [`KeptLog::close`] waits for that.
#[derive(Clone)]
pub struct KeptLog {
    kept: Arc<Kept>,
    end: Arc<DropGuard>,
}

struct Kept {
    store: Arc<dyn LogStore>,
    through: Arc<dyn LogSink>,
    waiting: Mutex<Waiting>,
    is_waiting: Notify,
    /// Held by whoever writes.
    turn: tokio::sync::Mutex<()>,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<(LeaseKey, LogLine)>,
    bytes: usize,
}

impl KeptLog {
    /// Begins to keep lines in `store`, and hands each to `through`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(store: Arc<dyn LogStore>, through: Arc<dyn LogSink>) -> Self {
        let kept = Arc::new(Kept {
            store,
            through,
            waiting: Mutex::default(),
            is_waiting: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            dropped: AtomicU64::default(),
        });
        let end = CancellationToken::new();
        tokio::spawn(write_now_and_then(Arc::clone(&kept), end.clone()));
        Self { kept, end: Arc::new(end.drop_guard()) }
    }

    /// How many lines were dropped because too many waited, or because the store refused them for good.
    pub fn dropped(&self) -> u64 {
        self.kept.dropped.load(Ordering::Relaxed)
    }

    /// Writes what waits now. Says whether nothing waits any more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no line; some may be kept twice.
    pub async fn flush(&self) -> bool {
        self.kept.write().await
    }

    /// Writes what waits, asking a store that is away again until `patience` is over. What is left then is dropped and
    /// counted. Says how many lines were dropped since the beginning.
    pub async fn close(self, patience: Duration) -> u64 {
        let written = async {
            while !self.flush().await {
                tokio::time::sleep(PAUSE / 10).await;
            }
        };
        if tokio::time::timeout(patience, written).await.is_err() {
            let left = std::mem::take(&mut *self.kept.waiting());
            self.kept.drop_lines(left.lines.len());
        }
        self.dropped()
    }
}

impl LogSink for KeptLog {
    fn line(&self, step: &StepContext, line: &str) {
        self.kept.through.line(step, line);
        let mut waiting = self.kept.waiting();
        let weight = line.len() + LINE_BYTES;
        if waiting.bytes + weight > WAITING_BYTES {
            return self.kept.drop_lines(1);
        }
        waiting.bytes += weight;
        let key = LeaseKey { step: step.step_id(), attempt: step.attempt() };
        let line = LogLine { at: step.now(), text: storable(line) };
        waiting.lines.push_back((key, line));
        drop(waiting);
        self.kept.is_waiting.notify_one();
    }
}

impl fmt::Debug for KeptLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptLog")
            .field("dropped", &self.dropped())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Kept {
    /// Writes what waits, batch by batch. Says whether nothing is left; the store is away if something is.
    async fn write(&self) -> bool {
        let _turn = self.turn.lock().await;
        loop {
            let (batch, count) = self.waiting().batch();
            if count == 0 {
                return true;
            }
            match self.store.put_logs(batch).await {
                Ok(()) => {}
                Err(error) if error.is_transient() => {
                    tracing::debug!(%error, "what attempts log cannot be kept now");
                    return false;
                }
                Err(error) => {
                    tracing::warn!(%error, lines = count, "the store refuses what attempts logged; the lines are dropped");
                    self.drop_lines(count);
                }
            }
            self.waiting().forget(count);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drop_lines(&self, count: usize) {
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl Waiting {
    /// The first lines by attempt, and how many they are. They stay until they are written.
    fn batch(&self) -> (Vec<AttemptLog>, usize) {
        let mut bytes = 0;
        let is_within = |(_, line): &&(LeaseKey, LogLine)| {
            let is_within = bytes < BATCH_BYTES;
            bytes += line.text.len();
            is_within
        };
        let mut logs: Vec<AttemptLog> = self
            .lines
            .iter()
            .take_while(is_within)
            .map(|(key, line)| AttemptLog { key: *key, lines: vec![line.clone()] })
            .collect();
        let count = logs.len();
        // Lines of one attempt stay in their order.
        logs.sort_by_key(|log| (log.key.step, log.key.attempt));
        (AttemptLog::joined(logs), count)
    }

    fn forget(&mut self, count: usize) {
        let count = count.min(self.lines.len());
        let gone = self.lines.drain(..count).map(|(_, line)| line.text.len() + LINE_BYTES).sum::<usize>();
        self.bytes -= gone;
    }
}

/// The text without U+0000, which databases cannot keep.
fn storable(line: &str) -> String {
    line.replace('\0', "\u{fffd}")
}

/// Writes lines a moment after they come, until `end`.
async fn write_now_and_then(kept: Arc<Kept>, end: CancellationToken) {
    while !end.is_cancelled() {
        tokio::select! {
            () = kept.is_waiting.notified() => {}
            () = end.cancelled() => {}
        }
        loop {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = end.cancelled() => {}
            }
            if kept.write().await || end.is_cancelled() {
                break;
            }
        }
    }
}
