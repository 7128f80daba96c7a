//! Claim.

use serde::Serialize;
use tasker_store::ClaimRequest;

use super::round::Round;
use super::slots::ClaimSlots;
use crate::failure::Failure;
use crate::sql::Part;

impl<'a> Round<'a> {
    /// Takes leases: one claim after the other, as each leaves less for the next.
    pub(super) async fn claim(&mut self, claims: &'a [ClaimRequest]) -> Result<(), Failure> {
        self.reply.leases.resize_with(claims.len(), Vec::new);
        for (place, claim) in claims.iter().enumerate().filter(|(_, claim)| claim.capacity > 0) {
            self.put(Part::Claim).await?;
            self.slots.claim = Some(slots_of(claim, self.now));
            self.claim = Some((place, claim));
        }
        Ok(())
    }
}

fn slots_of(claim: &ClaimRequest, now: tasker_core::Timestamp) -> ClaimSlots {
    ClaimSlots {
        queues: as_json(&claim.queues),
        handlers: as_json(&claim.handlers),
        turn: claim.turn,
        task: claim.task.map(|task| task.as_uuid().as_bytes().to_vec()),
        capacity: claim.capacity,
        worker: claim.worker,
        until: now.plus(claim.lease),
    }
}

fn as_json<T: Serialize>(names: &[T]) -> String {
    serde_json::to_string(names).expect("invariant: names are texts")
}
