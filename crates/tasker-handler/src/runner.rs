//! The runner: takes leases from a store, makes the attempts, and settles how they ended.
//!
//! One task, the dispatcher, owns all state and never waits for anything by itself. While settle calls are in
//! flight, outcomes gather; the next call takes them all, and brings the next leases back with it. Nothing ticks
//! while there is nothing to do, but for a beat that says the worker is there and a rare poll in case a hint was lost.

mod attempt;
mod counters;
mod dispatch;
mod inputs;
mod outbox;
mod plans;
mod running;
mod settlement;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use tasker_core::{Backoff, QueueName, TaskId, WorkerId};
use tasker_events::Events;
use tasker_store::Store;
use tokio_util::sync::CancellationToken;

use crate::context::{LogSink, NoLog};
use crate::registry::Registry;
use crate::tracer::{NoTracer, Tracer};
use attempt::Observers;
use dispatch::Dispatcher;

pub use counters::{Counters, RunnerReport};

/// How a runner works.
#[derive(Debug, Clone, PartialEq)]
pub struct RunnerSettings {
    /// This incarnation of the worker.
    pub worker: WorkerId,
    /// A name for people: host and process.
    pub name: String,
    /// The queues to serve (`default`).
    pub queues: Vec<QueueName>,
    /// The one task whose steps are taken, or those of any. A runner for one task registers as a worker that offers
    /// nothing: it is there for no other.
    pub task: Option<TaskId>,
    /// How many attempts may be made at once, at least 1 (100).
    pub concurrency: u32,
    /// How long a lease holds; it is renewed when a third of that has passed (30 s).
    pub lease: Duration,
    /// How many settle calls may be in flight at once, at least 1 (2).
    pub pipeline: usize,
    /// How long running attempts may go on after a shutdown was asked for (30 s).
    pub drain_timeout: Duration,
    /// How long a cancelled attempt gets to end before it is dropped (10 s).
    pub cancel_grace: Duration,
    /// How often to look for work without a hint (60 s): with the one look of the agents, two queries a minute.
    pub poll: Duration,
    /// How often to say that the worker is there (10 s).
    pub beat: Duration,
    /// What steps wait after a failed attempt, as far as they say nothing themselves.
    pub backoff: Backoff,
}

impl RunnerSettings {
    /// The usual settings.
    pub fn new(worker: WorkerId) -> Self {
        Self {
            worker,
            name: "worker".to_owned(),
            queues: vec![QueueName::default()],
            task: None,
            concurrency: 100,
            lease: Duration::from_secs(30),
            pipeline: 2,
            drain_timeout: Duration::from_secs(30),
            cancel_grace: Duration::from_secs(10),
            poll: Duration::from_mins(1),
            beat: Duration::from_secs(10),
            backoff: Backoff::default(),
        }
    }
}

/// Takes leases from a store, makes the attempts, and settles how they ended.
///
/// While settle calls are in flight, outcomes gather; the next call takes them all, and brings the next leases back
/// with it, so that a chain of steps costs one commit per hop. An idle runner asks for work only when the store hints
/// at some, and every [`poll`](RunnerSettings::poll) in case a hint was lost.
///
/// An outcome is kept until the store has answered for it. A handler whose lease is lost is cancelled, and its answer
/// dropped; one whose lease runs out because the store cannot be reached is cancelled just before.
pub struct Runner {
    store: Arc<dyn Store>,
    registry: Registry,
    settings: RunnerSettings,
    rng: StdRng,
    counters: Arc<Counters>,
    observers: Observers,
}

impl Runner {
    /// A runner of what `registry` offers. `rng` spreads the waits.
    pub fn new(store: Arc<dyn Store>, registry: Registry, settings: RunnerSettings, rng: StdRng) -> Self {
        let counters = Arc::new(Counters::of(settings.concurrency.max(1)));
        let observers =
            Observers { log: Arc::new(NoLog), tracer: Arc::new(NoTracer), events: Events::default() };
        Self { store, registry, settings, rng, counters, observers }
    }

    /// Lets `sink` take what steps log.
    #[must_use]
    pub fn log_to(mut self, sink: Arc<dyn LogSink>) -> Self {
        self.observers.log = sink;
        self
    }

    /// Lets `tracer` put attempts into traces.
    #[must_use]
    pub fn trace_with(mut self, tracer: Arc<dyn Tracer>) -> Self {
        self.observers.tracer = tracer;
        self
    }

    /// Tells what handlers do to `events`, and what they emit themselves.
    #[must_use]
    pub fn tell(mut self, events: Events) -> Self {
        self.observers.events = events;
        self
    }

    /// What it has done so far, to be looked at while it runs.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Runs until a shutdown is asked for and what was running has ended, or the store is closed.
    ///
    /// From then on nothing is claimed. Attempts have [`drain_timeout`](RunnerSettings::drain_timeout) to end; then
    /// they are cancelled, and those that do not end by themselves go back to the store for another worker.
    pub async fn run(self, shutdown: CancellationToken) -> RunnerReport {
        let (dispatcher, ended) = Dispatcher::new(self);
        dispatcher.run(ended, shutdown).await
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("settings", &self.settings)
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}
