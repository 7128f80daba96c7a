//! The dispatcher: one task that owns all state of a runner and reacts to one thing after the other.

mod calls;
mod leases;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use rand::rngs::StdRng;
use tasker_core::{HandlerName, LeaseKey, Outcome, QueueName, Timestamp};
use tasker_store::Store;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::calls::Answer;
use super::attempt::Observers;
use super::outbox::Outbox;
use super::plans::Plans;
use super::running::{Running, StopReason};
use super::{Counters, Runner, RunnerReport, RunnerSettings};
use crate::secrets::Secrets;

/// Ends of attempts are taken in by so many at a time.
const ENDS_AT_ONCE: usize = 1_000;
/// Saying goodbye takes no longer than this.
const FAREWELL: Duration = Duration::from_secs(5);
/// Where leases may have been taken away, they are all looked at; not more often than this.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The state of a runner.
pub(super) struct Dispatcher {
    store: Arc<dyn Store>,
    settings: RunnerSettings,
    queues: Arc<[QueueName]>,
    handlers: Arc<[HandlerName]>,
    rng: StdRng,
    counters: Arc<Counters>,
    observers: Arc<Observers>,
    secrets: Arc<Secrets>,
    plans: Plans,
    running: Running,
    outbox: Outbox,
    calls: FuturesUnordered<BoxFuture<'static, Answer>>,
    ends: mpsc::UnboundedSender<(LeaseKey, Outcome)>,
    appetite: Appetite,
    /// How many leases calls in flight may bring.
    reserved: u32,
    turn: u32,
    /// How often in a row the store could not be reached.
    failures: u32,
    is_renewing: bool,
    is_closed: bool,
    started_at: Option<Timestamp>,
    timers: Timers,
    drain: Option<Drain>,
}

/// Whether it is worth asking for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Appetite {
    /// No: the last call brought less than it could have.
    Sated,
    /// Perhaps: there was a hint.
    Curious,
    /// Yes: the last call brought all it could.
    Plenty,
}

/// When to do what by itself.
struct Timers {
    /// Renew leases, drop handlers that do not stop.
    upkeep: Instant,
    /// Look for work without a hint.
    poll: Instant,
    /// Say that the worker is there.
    beat: Instant,
    /// Ask a store again that could not be reached.
    retry: Option<Instant>,
    /// See which leases were taken away.
    look: Option<Instant>,
    /// When that may be done again.
    next_look: Instant,
}

/// A shutdown that was asked for.
struct Drain {
    /// When running handlers are cancelled.
    cancel: Instant,
    /// When what is still unsettled is given up.
    give_up: Instant,
    is_cancelled: bool,
}

impl Dispatcher {
    pub(super) fn new(runner: Runner) -> (Self, mpsc::UnboundedReceiver<(LeaseKey, Outcome)>) {
        let (ends, received) = mpsc::unbounded_channel();
        let Runner { store, registry, settings, rng, counters, observers } = runner;
        let now = Instant::now();
        let dispatcher = Self {
            queues: settings.queues.clone().into(),
            secrets: Arc::new(Secrets::of(registry.surroundings())),
            handlers: registry.handlers().cloned().collect(),
            plans: Plans::new(registry, settings.backoff.clone(), observers.events.clone()),
            timers: Timers {
                upkeep: now,
                poll: now + settings.poll,
                beat: now,
                retry: None,
                look: None,
                next_look: now,
            },
            store,
            settings,
            rng,
            counters,
            observers: Arc::new(observers),
            running: Running::default(),
            outbox: Outbox::default(),
            calls: FuturesUnordered::new(),
            ends,
            appetite: Appetite::Curious,
            reserved: 0,
            turn: 0,
            failures: 0,
            is_renewing: false,
            is_closed: false,
            started_at: None,
            drain: None,
        };
        (dispatcher, received)
    }

    /// Runs until there is nothing more to do.
    pub(super) async fn run(
        mut self,
        mut received: mpsc::UnboundedReceiver<(LeaseKey, Outcome)>,
        shutdown: CancellationToken,
    ) -> RunnerReport {
        let store = Arc::clone(&self.store);
        let (mut ready, mut revoked) = (store.wake().ready(), store.wake().revoked());
        let mut ended = Vec::with_capacity(ENDS_AT_ONCE);
        let timer = tokio::time::sleep_until(Instant::now());
        tokio::pin!(timer);
        loop {
            self.issue_calls();
            self.counters.busy_is(u32::try_from(self.running.len()).unwrap_or(u32::MAX));
            if self.is_finished() {
                break;
            }
            let next = self.next_timer();
            if timer.deadline() != next {
                timer.as_mut().reset(next);
            }
            tokio::select! {
                _ = received.recv_many(&mut ended, ENDS_AT_ONCE) => {
                    for (key, outcome) in ended.drain(..) {
                        self.handler_ended(key, outcome);
                    }
                }
                Some(answer) = self.calls.next() => self.take_answer(answer),
                hint = hint(&mut ready, Hint::StepsMayBeReady) => self.hinted(hint),
                hint = hint(&mut revoked, Hint::LeasesMayBeGone) => self.hinted(hint),
                () = &mut timer => self.timer_rang(),
                () = shutdown.cancelled(), if self.drain.is_none() => self.begin_drain(),
            }
        }
        self.counters.unsettled(self.outbox.len() + self.running.len());
        // What is still asked is answered to nobody; and a call that waits here for its turn would keep the next from it.
        self.calls.clear();
        // With the beats of others the store forgets, after a day, whom it does not hear from; this is only sooner.
        let _ = tokio::time::timeout(FAREWELL, store.leave(self.settings.worker)).await;
        self.counters.snapshot()
    }

    fn hinted(&mut self, hint: Hint) {
        match hint {
            Hint::StepsMayBeReady => self.be_curious(),
            Hint::LeasesMayBeGone => self.timers.look = Some(self.timers.next_look),
            Hint::StoreIsGone => self.is_closed = true,
        }
    }

    fn be_curious(&mut self) {
        if self.appetite == Appetite::Sated {
            self.appetite = Appetite::Curious;
        }
    }

    fn is_finished(&self) -> bool {
        let Some(drain) = &self.drain else { return self.is_closed };
        let is_done = self.running.is_empty() && self.outbox.len() == 0 && self.outbox.calls_in_flight() == 0;
        is_done || self.is_closed || drain.give_up <= Instant::now()
    }

    fn begin_drain(&mut self) {
        let now = Instant::now();
        let cancel = now + self.settings.drain_timeout;
        // A store that does not come back while a lease holds takes the attempts for lost anyway.
        let give_up = cancel + self.settings.cancel_grace + self.settings.lease;
        self.drain = Some(Drain { cancel, give_up, is_cancelled: false });
        self.timers.beat = now;
        self.hand_back_what_was_not_begun();
    }

    fn next_timer(&self) -> Instant {
        let timers = &self.timers;
        let is_holding = !self.running.is_empty() || self.outbox.len() > 0;
        let drain =
            self.drain.as_ref().map(|drain| if drain.is_cancelled { drain.give_up } else { drain.cancel });
        let look = timers.look.filter(|_| !self.is_renewing);
        let sometimes = [is_holding.then_some(timers.upkeep), timers.retry, look, drain];
        sometimes.into_iter().flatten().fold(timers.poll.min(timers.beat), Instant::min)
    }

    fn timer_rang(&mut self) {
        let now = Instant::now();
        if self.timers.poll <= now {
            self.timers.poll = now + self.settings.poll;
            self.be_curious();
        }
        if self.timers.beat <= now {
            self.timers.beat = now + self.settings.beat;
            self.beat();
        }
        if self.timers.retry.is_some_and(|retry| retry <= now) {
            self.timers.retry = None;
        }
        if !self.is_renewing && self.timers.look.is_some_and(|look| look <= now) {
            self.look_at_leases(now);
        }
        if self.timers.upkeep <= now {
            self.timers.upkeep = now + self.upkeep_interval();
            self.upkeep(now);
        }
        self.drain_further(now);
    }

    /// How often leases are looked at.
    fn upkeep_interval(&self) -> Duration {
        (self.settings.lease / 12).max(Duration::from_millis(10))
    }

    /// Stops handlers whose leases run out, drops those that do not stop, and renews leases.
    fn upkeep(&mut self, now: Instant) {
        let lease = self.settings.lease;
        for key in self.running.held_for(lease.saturating_sub(self.upkeep_interval()), now) {
            self.stop(&key, StopReason::RanOut, now);
        }
        for key in self.running.overstayed(now) {
            self.drop_handler(&key);
        }
        let mut due = self.running.held_for(lease / 3, now);
        due.extend(self.outbox.held_for(lease / 3, now));
        if !due.is_empty() && !self.is_renewing {
            self.renew(due);
        }
    }

    /// Renews all leases at work: those that were taken away are answered as lost.
    fn look_at_leases(&mut self, now: Instant) {
        self.timers.look = None;
        self.timers.next_look = now + BETWEEN_LOOKS;
        if !self.running.is_empty() {
            self.renew(self.running.keys());
        }
    }

    /// Cancels what has not ended when the time for draining is over.
    fn drain_further(&mut self, now: Instant) {
        let Some(drain) = &mut self.drain else { return };
        if !drain.is_cancelled && drain.cancel <= now {
            drain.is_cancelled = true;
            for key in self.running.keys() {
                self.stop(&key, StopReason::ShutDown, now);
            }
        }
    }
}

/// What the store let know.
#[derive(Clone, Copy)]
enum Hint {
    StepsMayBeReady,
    LeasesMayBeGone,
    StoreIsGone,
}

async fn hint(signal: &mut watch::Receiver<u64>, meaning: Hint) -> Hint {
    match signal.changed().await {
        Ok(()) => meaning,
        Err(_) => Hint::StoreIsGone,
    }
}
