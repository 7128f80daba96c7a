//! Asking the store, and what comes back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tasker_core::{LeaseKey, Timestamp};
use tasker_store::{
    ClaimRequest, PlanId, Renewed, SettleReply, SettleRequest, Settled, StoreError, StoredPlan, WorkerRecord,
};
use tokio::time::Instant;

use super::super::inputs::{self, Read, Wanted};
use super::super::running::StopReason;
use super::{Appetite, Dispatcher};
use crate::tracer::{Calling, StorePurpose};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What a call to the store brought.
pub(super) enum Answer {
    /// What became of ends of attempts and of the wish for new leases.
    Settled { call: u64, asked: u32, sent: Instant, reply: Result<SettleReply, StoreError> },
    /// What became of the wish to renew leases.
    Renewed { keys: Vec<LeaseKey>, sent: Instant, reply: Result<Vec<Renewed>, StoreError> },
    /// Plans that leases need.
    Plans { keys: Vec<LeaseKey>, reply: Result<Vec<Arc<StoredPlan>>, StoreError> },
    /// What attempts get to work with.
    Inputs { keys: Vec<LeaseKey>, reply: Result<Read, StoreError> },
    /// Whether the worker could say that it is there; and when it began, by the store's clock.
    Beaten(Result<Timestamp, StoreError>),
}

impl Dispatcher {
    /// Sends what waits, and asks for work if there is a place for it and a reason to.
    pub(super) fn issue_calls(&mut self) {
        while self.timers.retry.is_none()
            && !self.is_closed
            && self.outbox.calls_in_flight() < self.settings.pipeline.max(1)
        {
            let claim = self.wish();
            if claim.is_none() && !self.outbox.has_waiting() {
                return;
            }
            self.settle(claim);
        }
    }

    /// How many leases to ask for.
    fn wish(&self) -> Option<u32> {
        if self.drain.is_some() || self.outbox.is_careful() {
            return None;
        }
        let concurrency = self.settings.concurrency.max(1);
        let busy = u32::try_from(self.running.len()).unwrap_or(u32::MAX).saturating_add(self.reserved);
        let free = concurrency.saturating_sub(busy);
        // Every call may bring its share of the whole, so that all of the pipeline is in use.
        let share = concurrency.div_ceil(u32::try_from(self.settings.pipeline.max(1)).unwrap_or(u32::MAX));
        let has_reason = match self.appetite {
            Appetite::Plenty => true,
            Appetite::Curious => self.reserved == 0,
            Appetite::Sated => false,
        };
        (free > 0 && (has_reason || self.outbox.has_waiting())).then(|| free.min(share))
    }

    fn settle(&mut self, asked: Option<u32>) {
        let (call, settlements) = self.outbox.send();
        let claim = asked.map(|capacity| {
            self.turn = self.turn.wrapping_add(1);
            ClaimRequest {
                worker: self.settings.worker,
                queues: Arc::clone(&self.queues),
                handlers: Arc::clone(&self.handlers),
                capacity,
                lease: self.settings.lease,
                turn: self.turn,
                task: self.settings.task,
            }
        });
        let asked = asked.unwrap_or(0);
        self.reserved += asked;
        if asked > 0 && self.appetite == Appetite::Curious {
            self.appetite = Appetite::Sated;
        }
        let (store, sent) = (Arc::clone(&self.store), Instant::now());
        let ended = settlements.iter().map(|settlement| settlement.key);
        let calling = Calling::begin(&self.observers.tracer, StorePurpose::Settle, ended);
        self.calls.push(Box::pin(async move {
            let reply = store.settle(SettleRequest { settlements, claim }).await;
            calling.end(&reply);
            Answer::Settled { call, asked, sent, reply }
        }));
    }

    pub(super) fn renew(&mut self, keys: Vec<LeaseKey>) {
        self.is_renewing = true;
        let (store, sent) = (Arc::clone(&self.store), Instant::now());
        let (worker, lease) = (self.settings.worker, self.settings.lease);
        self.calls.push(Box::pin(async move {
            let reply = store.renew(worker, keys.clone(), lease).await;
            Answer::Renewed { keys, sent, reply }
        }));
    }

    pub(super) fn read_plans(&mut self, needed: Vec<(LeaseKey, PlanId)>) {
        let (keys, ids): (Vec<LeaseKey>, HashSet<PlanId>) = needed.into_iter().unzip();
        let store = Arc::clone(&self.store);
        self.calls
            .push(Box::pin(async move { Answer::Plans { keys, reply: inputs::plans(store, ids).await } }));
    }

    pub(super) fn read_inputs(&mut self, wanted: Wanted) {
        let store = Arc::clone(&self.store);
        let attempts = wanted.keys.iter().copied();
        let calling = Calling::begin(&self.observers.tracer, StorePurpose::Inputs, attempts);
        self.calls.push(Box::pin(async move {
            let reply = inputs::read(store, &wanted).await;
            calling.end(&reply);
            Answer::Inputs { keys: wanted.keys, reply }
        }));
    }

    /// Says that the worker is there, and whether it still takes work.
    pub(super) fn beat(&mut self) {
        let (store, started_at) = (Arc::clone(&self.store), self.started_at);
        let (queues, handlers) = match self.settings.task {
            None => (self.queues.to_vec(), self.handlers.to_vec()),
            Some(_) => (Vec::new(), Vec::new()),
        };
        let mut record = WorkerRecord {
            id: self.settings.worker,
            name: self.settings.name.clone(),
            queues,
            handlers,
            concurrency: self.settings.concurrency.max(1),
            started_at: started_at.unwrap_or_default(),
            // The store puts its own present there.
            seen_at: started_at.unwrap_or_default(),
            draining: self.drain.is_some(),
        };
        self.calls.push(Box::pin(async move {
            let beaten = async {
                if started_at.is_none() {
                    record.started_at = store.deadlines().await?.now;
                    record.seen_at = record.started_at;
                }
                let began = record.started_at;
                store.beat(record).await.map(|()| began)
            };
            Answer::Beaten(beaten.await)
        }));
    }

    pub(super) fn take_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Settled { call, asked, sent, reply } => {
                self.reserved = self.reserved.saturating_sub(asked);
                match reply {
                    Ok(reply) => self.take_settled(call, asked, sent, reply),
                    Err(error) => self.take_failure(call, asked, &error),
                }
            }
            Answer::Renewed { keys, sent, reply } => {
                self.is_renewing = false;
                match reply {
                    Ok(renewed) => self.take_renewed(&keys, &renewed, sent),
                    Err(error) => self.note_failure("renew leases", &error),
                }
            }
            Answer::Plans { keys, reply } => self.plans_read(keys, reply),
            Answer::Inputs { keys, reply } => self.inputs_read(keys, reply),
            Answer::Beaten(Ok(began)) => self.started_at = Some(began),
            Answer::Beaten(Err(error)) => self.note_failure("say that the worker is there", &error),
        }
    }

    fn take_settled(&mut self, call: u64, asked: u32, sent: Instant, reply: SettleReply) {
        self.failures = 0;
        let owed = self.outbox.answered(call);
        for (owed, settled) in owed.into_iter().zip(reply.settled) {
            match settled {
                Settled::Recorded { .. } => self.counters.recorded(&owed.settlement.verdict),
                Settled::Stale => {
                    tracing::warn!(attempt = %owed.settlement.key, "the end of an attempt came too late, or twice");
                    self.counters.stale();
                }
            }
        }
        if asked > 0 {
            if reply.leases.len() >= asked as usize {
                self.appetite = Appetite::Plenty;
            } else if self.appetite == Appetite::Plenty {
                self.appetite = Appetite::Sated;
            }
        }
        self.take_leases(reply.leases, sent);
    }

    fn take_failure(&mut self, call: u64, asked: u32, error: &StoreError) {
        let (sent, refused) = self.outbox.failed(call, error);
        self.counters.unsettled(refused);
        if asked > 0 {
            self.be_curious();
        }
        self.note_failure("settle attempts", error);
        if error.is_transient() || sent == 0 {
            self.failures += 1;
            let wait =
                FIRST_WAIT.saturating_mul(1 << self.failures.saturating_sub(1).min(10)).min(LONGEST_WAIT);
            self.timers.retry = Some(Instant::now() + wait.mul_f64(self.rng.random_range(0.5..1.0)));
        }
    }

    fn note_failure(&mut self, action: &str, error: &StoreError) {
        if matches!(error, StoreError::Closed) {
            self.is_closed = true;
        }
        let source = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(%error, source, "failed to {action}");
    }

    fn take_renewed(&mut self, keys: &[LeaseKey], renewed: &[Renewed], sent: Instant) {
        let now = Instant::now();
        let mut held = HashMap::new();
        for (key, renewed) in keys.iter().zip(renewed) {
            match (renewed, self.running.get_mut(key)) {
                (Renewed::Until(until), Some(running)) => running.renewed(*until, sent),
                // The end of the attempt is on its way; the store will say whether it counts.
                (Renewed::Until(until), None) => drop(held.insert(*key, *until)),
                (Renewed::Lost, Some(_)) => self.stop(key, StopReason::Lost, now),
                (Renewed::Lost, None) => {}
            }
        }
        self.outbox.renewed(&held, sent);
    }
}
