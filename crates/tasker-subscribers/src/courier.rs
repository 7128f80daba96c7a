//! The Courier: hands events over, again and again until they are taken or refused.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tasker_core::Clock;
use tasker_events::{Event, Events};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::journal::Journal;
use crate::patience::backoff;
use crate::receiver::{Receiver, Verdict};
use crate::report::Tally;
use crate::wire::Notice;

/// No receiver is left alone longer than that, whatever it asks for.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Hands events over to one receiver.
pub(crate) struct Courier {
    pub(crate) subscriber: String,
    pub(crate) receiver: Box<dyn Receiver>,
    /// One writes at a time: others would be told that the file is locked.
    pub(crate) dead_letters: Option<tokio::sync::Mutex<Journal>>,
    pub(crate) tally: Tally,
    pub(crate) events: Events,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Mutex<StdRng>,
    /// Until when the receiver asked to be left alone.
    pub(crate) closed_until: Mutex<Option<Instant>>,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// The events are taken, or refused for good.
    Settled,
    /// There was no time; nothing is known of them.
    Unfinished,
}

impl Courier {
    /// Hands events over. Ends without success only once `end` is cancelled, and then not within an attempt.
    pub(crate) async fn deliver(&self, notices: &[Arc<Notice>], end: &CancellationToken) -> Delivered {
        let mut tries = 0_u32;
        loop {
            if !self.wait_for_opening(end).await {
                return Delivered::Unfinished;
            }
            let (why, after) = match self.attempt(notices).await {
                Verdict::Taken => {
                    if self.tally.took(notices.len()) {
                        tracing::info!(subscriber = self.subscriber, "a subscriber takes events again");
                    }
                    return Delivered::Settled;
                }
                Verdict::Refused(why) => match self.bury(notices, &why).await {
                    Ok(()) => return Delivered::Settled,
                    Err(error) => (format!("{why}, and its dead letter cannot be written: {error}"), None),
                },
                Verdict::NotYet { why, after } => (why, after),
            };
            tries = tries.saturating_add(1);
            let wait = self.wait_after(tries, after);
            self.note_failure(notices, &why, wait);
            if end.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return Delivered::Unfinished;
            }
        }
    }

    async fn attempt(&self, notices: &[Arc<Notice>]) -> Verdict {
        let attempt = AssertUnwindSafe(self.receiver.take(notices)).catch_unwind();
        attempt.await.unwrap_or_else(|panic| Verdict::not_yet(format!("it panicked: {}", words(&*panic))))
    }

    /// Waits as long as the receiver asked to be left alone. False if the end comes first.
    async fn wait_for_opening(&self, end: &CancellationToken) -> bool {
        loop {
            if end.is_cancelled() {
                return false;
            }
            let closed = *self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(until) = closed.filter(|until| *until > Instant::now()) else { return true };
            end.run_until_cancelled(tokio::time::sleep_until(until)).await;
        }
    }

    /// How long to wait: what the receiver asked for, which holds for all that is in flight; else a backoff.
    fn wait_after(&self, tries: u32, after: Option<Duration>) -> Duration {
        let Some(after) = after.map(|after| after.min(LONGEST_PAUSE)) else {
            return backoff(tries, &mut *self.rng.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let mut closed = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = (*closed).max(Some(Instant::now() + after));
        after
    }

    fn note_failure(&self, notices: &[Arc<Notice>], why: &str, wait: Duration) {
        let subscriber = self.subscriber.as_str();
        if self.tally.retry(why, self.clock.now().plus(wait)) {
            let pause_seconds = wait.as_secs_f64();
            tracing::warn!(
                subscriber,
                error = why,
                pause_seconds,
                "a subscriber did not take events; they wait"
            );
        }
        self.tell(notices, why);
    }

    fn tell(&self, notices: &[Arc<Notice>], why: &str) {
        let Some(first) = notices.first() else { return };
        let (subscriber, event) = (self.subscriber.as_str(), first.event.name());
        self.events.emit(&Event::SubscriberFailed { subscriber, event, error_message: why });
    }

    /// Keeps what was refused, if somebody wants that, and passes over it.
    async fn bury(&self, notices: &[Arc<Notice>], why: &str) -> std::io::Result<()> {
        if let Some(journal) = &self.dead_letters {
            let at = self.clock.now();
            let lines = notices.iter().map(|notice| {
                let event: Value = serde_json::from_slice(&notice.body)?;
                let letter =
                    json!({ "subscriber": self.subscriber, "refused_at": at, "error": why, "event": event });
                Ok(format!("{letter}\n"))
            });
            let lines: Result<String, serde_json::Error> = lines.collect();
            journal.lock().await.append(lines?.into_bytes()).await?;
        }
        for notice in notices {
            let (subscriber, id, event) = (self.subscriber.as_str(), notice.id.as_str(), notice.event.name());
            tracing::warn!(
                subscriber,
                id,
                event,
                error = why,
                "a subscriber refused an event; it is passed over"
            );
        }
        self.tally.refuse(notices.len());
        self.tell(notices, why);
        Ok(())
    }
}

/// What a panic says.
pub(crate) fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}
