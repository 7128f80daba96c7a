//! The background task: it waits for a batch, sends it, and sends it again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use prost::bytes::Bytes;
use tokio::time::Instant;

use crate::convert::Envelope;
use crate::queue::{Level, Queue, Waiting};
use crate::settings::Settings;
use crate::transport::{Refusal, Remedy, Transport};

/// The first wait before a batch is sent again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Carries spans from the queue to the collector.
#[derive(Debug)]
pub(crate) struct Courier {
    queue: Arc<Queue>,
    transport: Transport,
    envelope: Arc<Envelope>,
    delay: Duration,
    patience: Duration,
    /// What makes this process wait differently from others.
    jitter: u64,
    is_in_trouble: bool,
}

impl Courier {
    pub(crate) fn new(queue: Arc<Queue>, transport: Transport, settings: &Settings) -> Self {
        let mut hasher = DefaultHasher::new();
        settings.resource.hash(&mut hasher);
        Self {
            queue,
            transport,
            envelope: Arc::new(Envelope::new(&settings.resource)),
            delay: settings.delay,
            patience: settings.patience,
            jitter: hasher.finish(),
            is_in_trouble: false,
        }
    }

    /// Carries spans until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        loop {
            self.wait_for_batch().await;
            let batch = self.queue.take();
            if batch.is_empty() {
                if self.queue.is_closed() {
                    return;
                }
                continue;
            }
            let count = batch.len();
            let rejected = match self.write(batch).await {
                Some(request) => self.deliver(request, count).await.min(count),
                None => count,
            };
            self.queue.account(count - rejected, rejected);
        }
    }

    /// Until a batch is full, or the first of it has waited long enough, or nothing more will come.
    async fn wait_for_batch(&self) {
        let mut until = None;
        loop {
            let stirred = self.queue.stirred.notified();
            match (self.queue.level(), until) {
                (Level::Batch | Level::Closed, _) => return,
                (Level::Empty, _) => stirred.await,
                (Level::Some, None) => until = Some(Instant::now() + self.delay),
                (Level::Some, Some(until)) => {
                    if tokio::time::timeout_at(until, stirred).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// The request for a batch. It is written beside the threads that the work is done on: a large one takes a
    /// millisecond. A runtime that ends has no such thread any more.
    async fn write(&self, batch: Vec<Waiting>) -> Option<Bytes> {
        let envelope = Arc::clone(&self.envelope);
        tokio::task::spawn_blocking(move || envelope.request(&batch)).await.ok()
    }

    /// Sends a batch, again and again within bounds; gives how many of its spans did not arrive.
    async fn deliver(&mut self, request: Bytes, count: usize) -> usize {
        let give_up = Instant::now() + self.patience;
        let mut round = 0;
        loop {
            let refusal = match self.transport.send(request.clone()).await {
                Ok(rejected) => {
                    self.arrived();
                    return rejected;
                }
                Err(refusal) => refusal,
            };
            self.refused(&refusal);
            let Remedy::Again(after) = refusal.remedy else { return count };
            let wait = after.unwrap_or_else(|| self.wait(round));
            if Instant::now() + wait > give_up {
                return count;
            }
            tokio::time::sleep(wait).await;
            round += 1;
        }
    }

    /// Between half of what doubling gives and all of it, so that not all processes come back at once.
    fn wait(&self, round: u32) -> Duration {
        let whole = FIRST_WAIT.saturating_mul(2u32.saturating_pow(round)).min(LONGEST_WAIT);
        let mut hasher = DefaultHasher::new();
        (self.jitter, round).hash(&mut hasher);
        let parts = u32::try_from(hasher.finish() % 1_000).unwrap_or(0);
        whole / 2 + whole / 2 * parts / 1_000
    }

    /// Says once that spans do not arrive.
    fn refused(&mut self, refusal: &Refusal) {
        if !std::mem::replace(&mut self.is_in_trouble, true) {
            tracing::warn!(reason = refusal.message, "the collector does not take spans");
        }
    }

    fn arrived(&mut self) {
        if std::mem::take(&mut self.is_in_trouble) {
            tracing::info!("the collector takes spans again");
        }
    }
}
