//! The router: from those who say what happened to those who want to know.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use tasker_core::{Clock, SystemClock, TaskId, TaskTemplate};

use crate::catalog::{Event, EventId};
use crate::custom::{CustomEventError, CustomEvents};
use crate::envelope::Envelope;
use crate::routes::{Backend, Priority, Routes};
use crate::subscriber::{Listener, Subscriber, Subscription, SubscriptionSettings};

/// The bit of a mask that says that a subscriber wants the event.
const SUBSCRIBERS: u8 = 8;
/// Sampling rates are parts of this.
const WHOLE: u64 = 1 << 32;

/// Takes events at once, on the thread of whoever emits them: it must be quick, and wait for nothing.
pub trait Sink: Send + Sync + 'static {
    /// Takes an event of the catalog.
    fn take(&self, event: &Event<'_>);

    /// Takes an event of a handler.
    fn take_custom(&self, event: &Envelope) {
        let _ = event;
    }
}

thread_local! {
    /// Whether this thread is at a trace, a line of the log, or a subscriber: what they emit themselves goes to none of
    /// them.
    static IS_TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Where events are emitted. Cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<Router>);

struct Router {
    /// For each event who wants it: the bits of backends, and of the subscribers.
    masks: Vec<AtomicU8>,
    /// For each event which part of it goes to traces and logs.
    thresholds: Vec<AtomicU64>,
    metrics: Option<Arc<dyn Sink>>,
    traces: Option<Arc<dyn Sink>>,
    logs: Option<Arc<dyn Sink>>,
    clock: Arc<dyn Clock>,
    custom: CustomEvents,
    state: RwLock<State>,
    draws: AtomicU64,
    panics: AtomicU64,
    dropped: AtomicU64,
}

struct State {
    routes: Routes,
    listeners: Vec<Arc<Listener>>,
}

/// Events that are about to be routed.
pub struct EventsBuilder {
    router: Router,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl fmt::Debug for EventsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventsBuilder").finish_non_exhaustive()
    }
}

impl Default for Events {
    /// Nobody listens until somebody subscribes.
    fn default() -> Self {
        Self::builder(Routes::default()).build()
    }
}

impl EventsBuilder {
    /// Has `sink` take what goes to a backend. What goes to one without a sink goes nowhere.
    #[must_use]
    pub fn sink(mut self, backend: Backend, sink: Arc<dyn Sink>) -> Self {
        let place = match backend {
            Backend::Metrics => &mut self.router.metrics,
            Backend::Traces => &mut self.router.traces,
            Backend::Logs => &mut self.router.logs,
        };
        *place = Some(sink);
        self
    }

    /// Has `clock` say when events are emitted, in place of the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.router.clock = clock;
        self
    }

    /// Begins to route.
    pub fn build(self) -> Events {
        let events = Events(Arc::new(self.router));
        events.change(|_| {});
        events
    }
}

impl Events {
    /// Events that are to go where `routes` say.
    pub fn builder(routes: Routes) -> EventsBuilder {
        let router = Router {
            masks: EventId::ALL.iter().map(|_| AtomicU8::default()).collect(),
            thresholds: EventId::ALL.iter().map(|_| AtomicU64::new(WHOLE)).collect(),
            metrics: None,
            traces: None,
            logs: None,
            clock: Arc::new(SystemClock),
            custom: CustomEvents::default(),
            state: RwLock::new(State { routes, listeners: Vec::new() }),
            draws: AtomicU64::default(),
            panics: AtomicU64::default(),
            dropped: AtomicU64::default(),
        };
        EventsBuilder { router }
    }

    /// Says that something happened. Waits for nobody, and never panics.
    #[inline]
    pub fn emit(&self, event: &Event<'_>) {
        let mask = self.0.masks[event.id() as usize].load(Ordering::Relaxed);
        if mask != 0 {
            self.0.route(mask, event);
        }
    }

    /// Whether anybody wants an event: where not, it need not be put together.
    #[inline]
    pub fn is_wanted(&self, event: EventId) -> bool {
        self.0.masks[event as usize].load(Ordering::Relaxed) != 0
    }

    /// Says that something happened which a handler has a name for.
    ///
    /// # Errors
    ///
    /// [`CustomEventError::Unknown`] if nobody registered it.
    pub fn emit_custom(
        &self,
        name: &str,
        task: Option<TaskId>,
        payload: Value,
    ) -> Result<(), CustomEventError> {
        if !self.0.custom.is_known(name) {
            return Err(CustomEventError::Unknown(name.to_owned()));
        }
        let event = Envelope {
            event: name.to_owned().into(),
            id: None,
            at: self.0.clock.now(),
            task,
            priority: Priority::Normal,
            payload,
        };
        for sink in [&self.0.metrics, &self.0.traces, &self.0.logs].into_iter().flatten() {
            self.0.guarded(|| sink.take_custom(&event));
        }
        self.0.offer(&Arc::new(event));
        Ok(())
    }

    /// Registers the events that a template lists under `custom_events`, as far as they are new.
    pub fn declare(&self, template: &TaskTemplate) {
        self.0.custom.declare(template, self.0.clock.now());
    }

    /// The events that handlers may emit.
    pub fn custom(&self) -> &CustomEvents {
        &self.0.custom
    }

    /// Serves a subscriber from now on.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn subscribe(&self, subscriber: Arc<dyn Subscriber>, settings: SubscriptionSettings) -> Subscription {
        let listener = Listener::of(subscriber, settings);
        self.change(|state| state.listeners.push(Arc::clone(&listener)));
        Subscription::start(listener, self.clone())
    }

    pub(crate) fn forget(&self, listener: &Arc<Listener>) {
        self.change(|state| state.listeners.retain(|other| !Arc::ptr_eq(other, listener)));
    }

    /// Where events go.
    pub fn routes(&self) -> Routes {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner).routes.clone()
    }

    /// Has events go elsewhere from now on.
    pub fn reroute(&self, routes: Routes) {
        self.change(|state| state.routes = routes);
    }

    /// How many events were left out for subscribers, as too many waited.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// How often a sink panicked; what it was at is lost, the others are not disturbed.
    pub fn panics(&self) -> u64 {
        self.0.panics.load(Ordering::Relaxed)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        self.0.publish(&state);
    }
}

impl Router {
    fn publish(&self, state: &State) {
        let sinks =
            [(Backend::Metrics, &self.metrics), (Backend::Traces, &self.traces), (Backend::Logs, &self.logs)];
        let present = sinks.iter().filter(|(_, sink)| sink.is_some());
        let present = present.fold(0, |bits, (backend, _)| bits | backend.bit());
        for event in EventId::ALL {
            let route = state.routes.of(*event);
            // That a subscriber failed is told to no subscriber: it would never end.
            let is_subscribed = *event != EventId::SubscriberFailed
                && state.listeners.iter().any(|listener| listener.interests.wants(Some(*event)));
            let mask = (route.bits() & present) | if is_subscribed { SUBSCRIBERS } else { 0 };
            self.thresholds[*event as usize].store(route.threshold(), Ordering::Relaxed);
            self.masks[*event as usize].store(mask, Ordering::Relaxed);
        }
    }

    fn route(&self, mask: u8, event: &Event<'_>) {
        if mask & Backend::Metrics.bit() != 0
            && let Some(sink) = &self.metrics
        {
            self.caught(|| sink.take(event));
        }
        if mask & !Backend::Metrics.bit() != 0 {
            self.tell(mask, event);
        }
    }

    #[cold]
    fn tell(&self, mask: u8, event: &Event<'_>) {
        let has = |backend: Backend| mask & backend.bit() != 0;
        if (has(Backend::Traces) || has(Backend::Logs)) && self.is_sampled(event) {
            if let Some(sink) = self.traces.as_ref().filter(|_| has(Backend::Traces)) {
                self.guarded(|| sink.take(event));
            }
            if let Some(sink) = self.logs.as_ref().filter(|_| has(Backend::Logs)) {
                self.guarded(|| sink.take(event));
            }
        }
        if mask & SUBSCRIBERS != 0 {
            self.guarded(|| self.offer(&Arc::new(self.envelope(event))));
        }
    }

    fn envelope(&self, event: &Event<'_>) -> Envelope {
        let id = event.id();
        Envelope {
            event: id.name().into(),
            id: Some(id),
            at: self.clock.now(),
            task: event.task(),
            priority: self.priority(id),
            payload: serde_json::to_value(event).expect("invariant: payloads have a JSON form"),
        }
    }

    fn priority(&self, event: EventId) -> Priority {
        self.state.read().unwrap_or_else(PoisonError::into_inner).routes.of(event).priority
    }

    fn offer(&self, event: &Arc<Envelope>) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        for listener in state.listeners.iter().filter(|listener| listener.interests.wants(event.id)) {
            if listener.offer(Arc::clone(event)) {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Of one task all events of a rate are taken, or none; of the others, each by itself.
    fn is_sampled(&self, event: &Event<'_>) -> bool {
        let id = event.id();
        let threshold = self.thresholds[id as usize].load(Ordering::Relaxed);
        if threshold >= WHOLE {
            return true;
        }
        let draw = match event.task() {
            Some(task) => {
                let (high, low) = task.as_uuid().as_u64_pair();
                low ^ mixed(high)
            }
            None => self.draws.fetch_add(1, Ordering::Relaxed),
        };
        mixed(draw) >> 32 < threshold
    }

    /// Does something at which nothing may be told.
    fn guarded(&self, action: impl FnOnce()) {
        if IS_TELLING.replace(true) {
            return;
        }
        self.caught(action);
        IS_TELLING.set(false);
    }

    fn caught(&self, action: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(action)).is_err() {
            self.panics.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A number without a pattern for each number: the finalizer of `SplitMix64` (Steele, Lea, Flood: Fast splittable
/// pseudorandom number generators, 2014).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
