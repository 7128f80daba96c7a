//! The Rescuer: turns leases that ran out into failed attempts.

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tasker_core::{Backoff, Failure, FailureKind, When};
use tasker_store::{Expired, Guard, SettleRequest, Settled, Settlement, Store, StoreError, Verdict};

const BATCH: u32 = 500;

/// Finds leases that nobody renewed, and settles them as failed, so that another worker may try.
///
/// Any number of rescuers may run: a lease is settled once, and only if its time has run out when the
/// settlement is written.
pub struct Rescuer {
    store: Arc<dyn Store>,
    backoff: Backoff,
    random: StdRng,
}

impl std::fmt::Debug for Rescuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rescuer").finish_non_exhaustive()
    }
}

impl Rescuer {
    /// A rescuer on a store; `seed` decides the jitter of backoffs.
    pub fn new(store: Arc<dyn Store>, seed: u64) -> Self {
        Self { store, backoff: Backoff::default(), random: StdRng::seed_from_u64(seed) }
    }

    /// Takes what a step's retry policy leaves out from `backoff`, in place of the default.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Rescues everything that has run out by now, and says how many attempts that were.
    ///
    /// # Errors
    ///
    /// Only the store's; what was rescued before stays rescued.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any time.
    pub async fn rescue(&mut self) -> Result<u64, StoreError> {
        let mut rescued = 0;
        loop {
            let expired = self.store.expired(BATCH).await?;
            if expired.is_empty() {
                return Ok(rescued);
            }
            let mut settlements = Vec::with_capacity(expired.len());
            for lease in &expired {
                settlements.push(self.settlement(lease).await?);
            }
            let reply = self.store.settle(SettleRequest { settlements, claim: None }).await?;
            let recorded = reply.settled.iter().filter(|settled| **settled != Settled::Stale).count();
            rescued += recorded as u64;
            if recorded == 0 {
                return Ok(rescued);
            }
        }
    }

    async fn settlement(&mut self, lease: &Expired) -> Result<Settlement, StoreError> {
        let backoff = self.backoff_of(lease).await?;
        let seconds = backoff.delay_seconds(lease.key.attempt.into(), &mut self.random);
        let when = When::After(Duration::from_secs(seconds.into()));
        let message =
            format!("worker {} did not renew its lease, which ran out at {}", lease.worker, lease.until);
        let failure = Failure::new(FailureKind::LeaseExpired, message);
        Ok(Settlement { key: lease.key, guard: Guard::Expired, verdict: Verdict::Retry { failure, when } })
    }

    /// The waits of the step that a lease is on. One plan that cannot be read keeps no other step from being
    /// rescued: then they are the usual ones.
    async fn backoff_of(&self, lease: &Expired) -> Result<Backoff, StoreError> {
        let plan = match self.store.read_plan(lease.plan).await {
            Ok(plan) => plan,
            Err(StoreError::Inconsistent(error)) => {
                tracing::warn!(%error, attempt = %lease.key, "rescued after the usual wait: the plan cannot be read");
                None
            }
            Err(error) => return Err(error),
        };
        let step = plan.as_ref().and_then(|plan| plan.template.steps.get(lease.key.step.ordinal() as usize));
        Ok(step.map_or_else(|| self.backoff.clone(), |step| step.retry.backoff_over(&self.backoff)))
    }
}
