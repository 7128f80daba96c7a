//! Claiming and settling.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tasker_core::{Failure, FailureKind, LeaseKey, TaskId, When, WorkerId};

use super::{Bench, worker};
use crate::work::{
    ClaimRequest, Expired, Guard, Lease, Renewed, SettleReply, SettleRequest, Settled, Settlement, Verdict,
};

/// How long the leases of a bench hold.
pub const LEASE: Duration = Duration::from_mins(1);

/// Leases with the names of their steps.
#[derive(Debug, Default)]
pub struct Hand(Vec<(String, Lease)>);

impl Hand {
    /// The names of the steps in the order they were claimed: `a, b`.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the first lease on a step with this name.
    pub fn take(&mut self, name: &str) -> Lease {
        let place = self.0.iter().position(|(step, _)| step == name);
        self.0.remove(place.unwrap_or_else(|| panic!("{name} is not among {:?}", self.names()))).1
    }

    /// The only lease.
    pub fn one(mut self) -> Lease {
        assert_eq!(self.len(), 1, "claimed {:?}", self.names());
        self.0.remove(0).1
    }

    /// All leases, in the order they were claimed.
    pub fn all(self) -> Vec<Lease> {
        self.0.into_iter().map(|(_, lease)| lease).collect()
    }

    /// All leases with the names of their steps.
    pub fn named(self) -> Vec<(String, Lease)> {
        self.0
    }
}

impl Bench {
    /// What worker 1 asks for: any step there is, at most `capacity`.
    pub async fn ask(&self, capacity: u32) -> ClaimRequest {
        let lanes = self.store.lanes().await.expect("the store reads lanes");
        let queues: BTreeSet<_> = lanes.iter().map(|lane| lane.queue.clone()).collect();
        let handlers: BTreeSet<_> = lanes.iter().map(|lane| lane.handler.clone()).collect();
        ClaimRequest {
            worker: worker(1),
            queues: queues.into_iter().collect(),
            handlers: handlers.into_iter().collect(),
            capacity,
            lease: LEASE,
            turn: 0,
            task: None,
        }
    }

    /// Has worker 1 claim any step there is, at most `capacity`.
    pub async fn claim(&self, capacity: u32) -> Hand {
        self.claim_as(self.ask(capacity).await).await
    }

    /// Has worker 1 claim whatever is ready, of which the leases on steps of one task are returned.
    pub async fn claim_task(&self, task: TaskId) -> Hand {
        let mut hand = self.claim(1_000).await;
        hand.0.retain(|(_, lease)| lease.key.step.task() == task);
        hand
    }

    /// Has a worker claim any step there is, at most `capacity`.
    pub async fn claim_by(&self, worker: WorkerId, capacity: u32) -> Hand {
        self.claim_as(ClaimRequest { worker, ..self.ask(capacity).await }).await
    }

    /// Claims.
    pub async fn claim_as(&self, request: ClaimRequest) -> Hand {
        let leases = self.store.claim(request).await.expect("the store takes a claim");
        self.hand(leases).await
    }

    /// Leases with the names of their steps.
    pub async fn hand(&self, leases: Vec<Lease>) -> Hand {
        let mut hand = Hand::default();
        for lease in leases {
            let template = self.template_of_plan(lease.plan).await;
            let name = template.steps[lease.key.step.ordinal() as usize].name.to_string();
            hand.0.push((name, lease));
        }
        hand
    }

    /// Settles one attempt.
    pub async fn settle(&self, settlement: Settlement) -> Settled {
        let mut reply = self.settle_all(vec![settlement]).await;
        assert_eq!(reply.settled.len(), 1);
        reply.settled.remove(0)
    }

    /// Settles attempts and claims nothing.
    pub async fn settle_all(&self, settlements: Vec<Settlement>) -> SettleReply {
        self.settle_request(SettleRequest { settlements, claim: None }).await
    }

    /// Settles attempts, and has worker 1 claim in the same commit.
    pub async fn settle_and_claim(&self, settlements: Vec<Settlement>, capacity: u32) -> (SettleReply, Hand) {
        let claim = Some(self.ask(capacity).await);
        let mut reply = self.settle_request(SettleRequest { settlements, claim }).await;
        let hand = self.hand(std::mem::take(&mut reply.leases)).await;
        (reply, hand)
    }

    /// Settles and claims as a request says.
    pub async fn settle_request(&self, request: SettleRequest) -> SettleReply {
        self.store.settle(request).await.expect("the store takes settlements")
    }

    /// The work is done; its results name the attempt.
    pub async fn complete(&self, lease: Lease) -> Settled {
        let attempt = lease.key.attempt;
        self.settle(lease.complete(json!({ "attempt": attempt }))).await
    }

    /// The attempt failed, and another may be made in so many seconds.
    pub async fn retry_in(&self, lease: Lease, seconds: u64) -> Settled {
        self.settle(lease.retry(failure(), When::After(Duration::from_secs(seconds)))).await
    }

    /// The attempt failed for good.
    pub async fn fail(&self, lease: Lease) -> Settled {
        self.settle(lease.fail(failure())).await
    }

    /// It is not time yet; it is in so many seconds.
    pub async fn snooze(&self, lease: Lease, seconds: u64) -> Settled {
        self.settle(lease.snooze(When::After(Duration::from_secs(seconds)))).await
    }

    /// Claims every ready step and completes it.
    pub async fn complete_ready(&self) {
        for lease in self.claim(1_000).await.all() {
            self.complete(lease).await;
        }
    }

    /// Claims every ready step and completes it, until none is ready.
    pub async fn complete_everything(&self) {
        let mut hand = self.claim(1_000).await;
        while !hand.is_empty() {
            let done = hand.all().into_iter().map(|lease| lease.complete(Value::Null)).collect();
            (_, hand) = self.settle_and_claim(done, 1_000).await;
        }
    }

    /// Renews leases of a worker.
    pub async fn renew(&self, worker: WorkerId, keys: &[LeaseKey], lease: Duration) -> Vec<Renewed> {
        self.store.renew(worker, keys.to_vec(), lease).await.expect("the store takes a renewal")
    }

    /// Leases whose time has run out.
    pub async fn expired(&self) -> Vec<Expired> {
        self.store.expired(1_000).await.expect("the store reads expired leases")
    }

    /// Turns expired leases into failed attempts that may be repeated at once.
    pub async fn rescue(&self) -> Vec<Settled> {
        let expired = self.expired().await;
        let settlements = expired.iter().map(|expired| Settlement {
            key: expired.key,
            guard: Guard::Expired,
            verdict: Verdict::Retry { failure: lost(), when: When::After(Duration::ZERO) },
        });
        self.settle_all(settlements.collect()).await.settled
    }
}

/// What went wrong, where it does not matter what.
pub(crate) fn failure() -> Failure {
    Failure::new(FailureKind::Retryable, "it broke")
}

fn lost() -> Failure {
    Failure::new(FailureKind::LeaseExpired, "the worker went away")
}
