//! From leases to running handlers, and from their ends to settlements.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures::FutureExt;
use tasker_core::{Failure, FailureKind, LeaseKey, Outcome};
use tasker_store::{Lease, StoreError, StoredPlan};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::attempt::{Given, Job, panicked, with_progress};
use super::super::inputs::{Read, Wanted};
use super::super::plans::Prepared;
use super::super::running::{Held, Stage, StopReason, Work};
use super::super::settlement::{interrupted, not_begun, ran_out, settlement};
use super::Dispatcher;
use crate::context::Progress;
use crate::handler::Placement;

impl Dispatcher {
    /// Begins the attempts of leases that a request sent at `sent` brought.
    pub(super) fn take_leases(&mut self, leases: Vec<Lease>, sent: Instant) {
        let mut wanted = Wanted::default();
        let mut unknown = Vec::new();
        for lease in leases {
            if self.drain.is_some() {
                self.settle_later(lease, not_begun(), None, sent);
                continue;
            }
            match self.plans.step(&lease) {
                Some(prepared) => self.begin(lease, prepared, sent, &mut wanted),
                None => unknown.push(lease),
            }
        }
        if !wanted.keys.is_empty() {
            self.read_inputs(wanted);
        }
        if !unknown.is_empty() {
            self.read_plans(unknown.iter().map(|lease| (lease.key, lease.plan)).collect());
            for lease in unknown {
                self.running.insert(Held { lease, prepared: None, since: sent, stage: Stage::Reading });
            }
        }
    }

    /// Starts an attempt, or notes what is to be read for it.
    fn begin(&mut self, lease: Lease, prepared: Arc<Prepared>, since: Instant, wanted: &mut Wanted) {
        let runnable = match &prepared.runnable {
            Ok(runnable) => runnable,
            Err(outcome) => {
                let outcome = outcome.clone();
                return self.settle_later(lease, outcome, Some(&*prepared), since);
            }
        };
        let wants_history = runnable.wants_history && lease.key.attempt > 1;
        if runnable.wants_inputs || wants_history {
            wanted.keys.push(lease.key);
            if runnable.wants_inputs {
                wanted.inputs.push(lease.key.step);
            }
            if wants_history {
                wanted.histories.push(lease.key.step);
            }
            self.running.insert(Held { lease, prepared: Some(prepared), since, stage: Stage::Reading });
        } else {
            self.start(lease, prepared, since, Given::default());
        }
    }

    /// Lets the handler run.
    fn start(&mut self, lease: Lease, prepared: Arc<Prepared>, since: Instant, given: Given) {
        let (cancellation, progress) = (CancellationToken::new(), Progress::default());
        let is_inline =
            prepared.runnable.as_ref().is_ok_and(|runnable| runnable.placement == Placement::Inline);
        let job = Job {
            prepared: Arc::clone(&prepared),
            key: lease.key,
            retry_limit: lease.retry_limit,
            claimed_at: lease.claimed_at,
            received: Instant::now(),
            given,
            cancellation: cancellation.clone(),
            progress: Arc::clone(&progress),
            observers: Arc::clone(&self.observers),
            secrets: Arc::clone(&self.secrets),
            grace: self.settings.cancel_grace,
        };
        let mut attempt = Box::pin(job.make());
        if is_inline {
            match catch_unwind(AssertUnwindSafe(|| attempt.as_mut().now_or_never())) {
                Ok(Some(outcome)) => return self.settle_later(lease, outcome, Some(&*prepared), since),
                Ok(None) => {}
                Err(panic) => return self.settle_later(lease, panicked(&*panic), Some(&*prepared), since),
            }
        }
        let (ends, key) = (self.ends.clone(), lease.key);
        let task = tokio::spawn(async move {
            let outcome = attempt.await;
            // Nobody listens any more when the runner has given up.
            let _ = ends.send((key, outcome));
        });
        let work = Work { cancellation, progress, task: task.abort_handle() };
        self.running.insert(Held { lease, prepared: Some(prepared), since, stage: Stage::AtWork(work) });
    }

    /// Begins what waited for its plan.
    pub(super) fn plans_read(
        &mut self,
        keys: Vec<LeaseKey>,
        reply: Result<Vec<Arc<StoredPlan>>, StoreError>,
    ) {
        let reason = match reply {
            Ok(plans) => {
                for plan in plans {
                    self.plans.keep(plan);
                }
                "the store does not have it".to_owned()
            }
            Err(error) => error.to_string(),
        };
        let mut wanted = Wanted::default();
        for key in keys {
            // What is gone was lost meanwhile.
            let Some(Held { lease, since, .. }) = self.running.remove(&key) else { continue };
            match self.plans.step(&lease) {
                Some(prepared) => self.begin(lease, prepared, since, &mut wanted),
                None => self.settle_later(lease, unreadable("template", &reason), None, since),
            }
        }
        if !wanted.keys.is_empty() {
            self.read_inputs(wanted);
        }
    }

    /// Starts what waited for its inputs.
    pub(super) fn inputs_read(&mut self, keys: Vec<LeaseKey>, reply: Result<Read, StoreError>) {
        let mut read = match reply {
            Ok(read) => Ok(read),
            Err(error) => Err(error.to_string()),
        };
        for key in keys {
            let Some(Held { lease, prepared: Some(prepared), since, .. }) = self.running.remove(&key) else {
                continue;
            };
            let given = match &mut read {
                Ok(read) => given(&prepared, &lease, read),
                Err(reason) => Err(unreadable("inputs", reason)),
            };
            match given {
                Ok(given) => self.start(lease, prepared, since, given),
                Err(outcome) => self.settle_later(lease, outcome, Some(&*prepared), since),
            }
        }
    }

    /// Takes in what a handler answered.
    pub(super) fn handler_ended(&mut self, key: LeaseKey, outcome: Outcome) {
        let Some(held) = self.running.remove(&key) else { return };
        let stopped = match &held.stage {
            Stage::Stopping { reason, work, .. } => Some((*reason, &work.progress)),
            Stage::Reading | Stage::AtWork(_) => None,
        };
        let outcome = match (stopped, outcome) {
            (Some((StopReason::Lost, _)), _) => {
                self.counters.lost();
                return self.be_curious();
            }
            (Some((StopReason::ShutDown, progress)), Outcome::Retry { .. }) => {
                with_progress(interrupted(), progress)
            }
            (Some((StopReason::RanOut, progress)), Outcome::Retry { .. }) => {
                with_progress(ran_out(), progress)
            }
            (_, outcome) => outcome,
        };
        self.settle_later(held.lease, outcome, held.prepared.as_deref(), held.since);
    }

    /// Tells a handler to stop; what has not begun is given up.
    pub(super) fn stop(&mut self, key: &LeaseKey, reason: StopReason, now: Instant) {
        let Some(held) = self.running.get_mut(key) else { return };
        if !matches!(held.stage, Stage::Reading) {
            self.running.stop(key, reason, now + self.settings.cancel_grace);
            return;
        }
        let Some(held) = self.running.remove(key) else { return };
        match reason {
            StopReason::Lost | StopReason::RanOut => {
                self.counters.lost();
                self.be_curious();
            }
            StopReason::ShutDown => {
                self.settle_later(held.lease, not_begun(), held.prepared.as_deref(), held.since);
            }
        }
    }

    /// Drops a handler that did not stop when it was told to.
    pub(super) fn drop_handler(&mut self, key: &LeaseKey) {
        let Some(held) = self.running.remove(key) else { return };
        let Stage::Stopping { work, reason, .. } = held.stage else { return };
        work.task.abort();
        tracing::warn!(attempt = %key, ?reason, "a handler did not stop when it was told to, and is dropped");
        let outcome = match reason {
            StopReason::Lost => {
                self.counters.lost();
                return self.be_curious();
            }
            StopReason::RanOut => ran_out(),
            StopReason::ShutDown => interrupted(),
        };
        let outcome = with_progress(outcome, &work.progress);
        self.settle_later(held.lease, outcome, held.prepared.as_deref(), held.since);
    }

    /// Gives back what nobody has begun with.
    pub(super) fn hand_back_what_was_not_begun(&mut self) {
        let now = Instant::now();
        for key in self.running.keys() {
            if self.running.get_mut(&key).is_some_and(|held| matches!(held.stage, Stage::Reading)) {
                self.stop(&key, StopReason::ShutDown, now);
            }
        }
    }

    /// Hands the end of an attempt to the outbox.
    fn settle_later(&mut self, lease: Lease, outcome: Outcome, prepared: Option<&Prepared>, since: Instant) {
        let outcome = self.secrets.hidden_in(outcome);
        let usual = &self.settings.backoff;
        let backoff = prepared.map_or(usual, |prepared| &prepared.blueprint.backoff);
        let until = lease.until;
        self.outbox.push(settlement(lease, outcome, backoff, &mut self.rng), since, until);
    }
}

/// What was read for one attempt.
fn given(prepared: &Prepared, lease: &Lease, read: &mut Read) -> Result<Given, Outcome> {
    let history = read.histories.remove(&lease.key.step).unwrap_or_default();
    let wants_inputs = prepared.runnable.as_ref().is_ok_and(|runnable| runnable.wants_inputs);
    match read.inputs.remove(&lease.key.step) {
        Some(inputs) => Ok(prepared.given(inputs, history)),
        None if wants_inputs => Err(unreadable("inputs", "the store does not have them")),
        None => Ok(Given { history, ..Given::default() }),
    }
}

fn unreadable(what: &str, reason: &str) -> Outcome {
    let message = format!("the {what} of the step cannot be read: {reason}");
    let failure = Failure::new(FailureKind::Retryable, message).with_code("UNREADABLE");
    Outcome::Retry { failure, when: None }
}
