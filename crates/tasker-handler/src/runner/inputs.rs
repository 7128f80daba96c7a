//! Reading what attempts need, for a batch of leases at once.
//!
//! A store that cannot be reached is asked again and again: the leases are renewed meanwhile, and if they are lost
//! nobody wants the answer any more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tasker_core::{LeaseKey, StepId};
use tasker_store::{Inputs, PlanId, Store, StoreError, StoredPlan, Transition};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// At most so many transitions of a step are given to its handler, the latest.
const HISTORY: u32 = 1_000;

/// What was read for a batch.
#[derive(Default)]
pub(super) struct Read {
    pub(super) inputs: HashMap<StepId, Inputs>,
    pub(super) histories: HashMap<StepId, Vec<Transition>>,
}

/// Which attempts need what.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) keys: Vec<LeaseKey>,
    pub(super) inputs: Vec<StepId>,
    pub(super) histories: Vec<StepId>,
}

/// Reads plans; those that are not stored are left out.
pub(super) async fn plans(
    store: Arc<dyn Store>,
    ids: HashSet<PlanId>,
) -> Result<Vec<Arc<StoredPlan>>, StoreError> {
    let mut plans = Vec::with_capacity(ids.len());
    for id in ids {
        plans.extend(insist(|| store.read_plan(id)).await?);
    }
    Ok(plans)
}

/// Reads inputs, and the histories of steps.
pub(super) async fn read(store: Arc<dyn Store>, wanted: &Wanted) -> Result<Read, StoreError> {
    let mut read = Read::default();
    if !wanted.inputs.is_empty() {
        let inputs = insist(|| store.inputs(&wanted.inputs)).await?;
        read.inputs = inputs.into_iter().map(|inputs| (inputs.step, inputs)).collect();
    }
    for step in &wanted.histories {
        read.histories.insert(*step, insist(|| store.step_history(*step, HISTORY)).await?);
    }
    Ok(read)
}

async fn insist<T, F>(ask: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut wait = FIRST_WAIT;
    loop {
        match ask().await {
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "inputs cannot be read; trying again in {wait:?}");
                tokio::time::sleep(wait).await;
                wait = LONGEST_WAIT.min(wait * 2);
            }
            answer => return answer,
        }
    }
}
