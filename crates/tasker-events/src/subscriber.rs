//! Those who listen.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use serde::Serialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::catalog::Event;
use crate::envelope::Envelope;
use crate::interests::Interests;
use crate::queue::Queue;
use crate::router::Events;

/// Why an event could not be taken.
pub type DeliveryError = Box<dyn Error + Send + Sync>;

/// Somebody who wants to hear of events.
///
/// Each has a queue and a task of its own: one that hangs, fails or panics disturbs neither the work nor others. Events
/// come one at a time and in the order in which this process emitted them; those that its queue cannot hold are left out
/// and counted. Events of other processes do not come; who must miss none follows the feed of transitions instead.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use async_trait::async_trait;
/// use tasker_events::{
///     DeliveryError, Envelope, Event, EventId, Events, Interests, Subscriber, SubscriptionSettings,
/// };
///
/// /// Remembers the names of what happened.
/// #[derive(Default)]
/// struct Diary(Mutex<Vec<String>>);
///
/// #[async_trait]
/// impl Subscriber for Diary {
///     fn name(&self) -> &str {
///         "diary"
///     }
///
///     fn interests(&self) -> Interests {
///         Interests::of([EventId::TaskPruned])
///     }
///
///     async fn deliver(&self, event: &Envelope) -> Result<(), DeliveryError> {
///         self.0.lock().expect("nobody panicked").push(event.event.to_string());
///         Ok(())
///     }
/// }
///
/// # tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
/// let (events, diary) = (Events::default(), Arc::new(Diary::default()));
/// let subscription = events.subscribe(Arc::clone(&diary) as Arc<_>, SubscriptionSettings::default());
/// events.emit(&Event::TaskPruned { task_count: 3 });
/// subscription.close().await;
/// assert_eq!(*diary.0.lock().expect("nobody panicked"), ["task.pruned"]);
/// # });
/// ```
#[async_trait]
pub trait Subscriber: Send + Sync + 'static {
    /// A name for people.
    fn name(&self) -> &str;

    /// What it wants to hear of; asked once.
    fn interests(&self) -> Interests {
        Interests::ALL
    }

    /// Takes an event. What it fails to take is not offered again.
    ///
    /// # Cancel safety
    ///
    /// It is dropped when it takes longer than [`SubscriptionSettings::patience`].
    async fn deliver(&self, event: &Envelope) -> Result<(), DeliveryError>;
}

/// How a subscriber is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionSettings {
    /// How many events may wait for it (10,000).
    pub capacity: usize,
    /// How long it may take for one (10 s).
    pub patience: Duration,
    /// How long it may take for what waits when it is closed (5 s).
    pub farewell: Duration,
}

impl Default for SubscriptionSettings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { capacity: 10_000, patience: seconds(10), farewell: seconds(5) }
    }
}

/// What became of the events for a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SubscriberReport {
    /// Taken.
    pub delivered: u64,
    /// Not taken: it failed, panicked or took too long.
    pub failed: u64,
    /// Left out, as too many waited.
    pub dropped: u64,
    /// Waiting.
    pub waiting: u64,
}

/// A subscriber that is served. It is no longer when this is dropped.
#[derive(Debug)]
pub struct Subscription {
    listener: Arc<Listener>,
    events: Events,
    task: Option<AbortOnDropHandle<()>>,
}

/// A subscriber with its queue.
pub(crate) struct Listener {
    subscriber: Arc<dyn Subscriber>,
    pub(crate) interests: Interests,
    settings: SubscriptionSettings,
    queue: Mutex<Queue>,
    arrival: Notify,
    end: CancellationToken,
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("name", &self.subscriber.name()).finish_non_exhaustive()
    }
}

impl Listener {
    pub(crate) fn of(subscriber: Arc<dyn Subscriber>, settings: SubscriptionSettings) -> Arc<Self> {
        Arc::new(Self {
            interests: subscriber.interests(),
            subscriber,
            settings,
            queue: Mutex::new(Queue::of(settings.capacity)),
            arrival: Notify::new(),
            end: CancellationToken::new(),
            delivered: AtomicU64::default(),
            failed: AtomicU64::default(),
            dropped: AtomicU64::default(),
        })
    }

    /// Lets an event wait; says whether one had to be left out for it.
    pub(crate) fn offer(&self, event: Arc<Envelope>) -> bool {
        let is_full = self.queue().push(event);
        if is_full {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.arrival.notify_one();
        is_full
    }

    /// Delivers what comes, until it is closed and nothing waits.
    async fn serve(self: Arc<Self>, events: Events) {
        loop {
            let next = self.queue().pop();
            match next {
                Some(event) => self.deliver(&event, &events).await,
                None if self.end.is_cancelled() => return,
                None => tokio::select! {
                    () = self.arrival.notified() => {}
                    () = self.end.cancelled() => {}
                },
            }
        }
    }

    async fn deliver(&self, event: &Envelope, events: &Events) {
        // A subscriber may panic before it returns its future.
        let delivery = AssertUnwindSafe(async { self.subscriber.deliver(event).await }).catch_unwind();
        let problem = match tokio::time::timeout(self.settings.patience, delivery).await {
            Ok(Ok(Ok(()))) => {
                self.delivered.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(panic)) => format!("it panicked: {}", words(&*panic)),
            Err(_) => format!("it took longer than {} s", self.settings.patience.as_secs_f64()),
        };
        self.failed.fetch_add(1, Ordering::Relaxed);
        let (subscriber, event) = (self.subscriber.name(), &*event.event);
        events.emit(&Event::SubscriberFailed { subscriber, event, error_message: &problem });
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // The queue is sound after every operation, also if another holder of the lock panicked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}

impl Subscription {
    pub(crate) fn start(listener: Arc<Listener>, events: Events) -> Self {
        let task = tokio::spawn(Arc::clone(&listener).serve(events.clone()));
        Self { listener, events, task: Some(AbortOnDropHandle::new(task)) }
    }

    /// What became of its events so far.
    pub fn report(&self) -> SubscriberReport {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SubscriberReport {
            delivered: read(&self.listener.delivered),
            failed: read(&self.listener.failed),
            dropped: read(&self.listener.dropped),
            waiting: self.listener.queue().len() as u64,
        }
    }

    /// Takes no further events, has those that wait delivered as far as there is time, and says what became of all.
    pub async fn close(mut self) -> SubscriberReport {
        self.events.forget(&self.listener);
        self.listener.end.cancel();
        if let Some(task) = self.task.take() {
            let _ = tokio::time::timeout(self.listener.settings.farewell, task).await;
        }
        self.report()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.events.forget(&self.listener);
    }
}
