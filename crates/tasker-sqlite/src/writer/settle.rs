//! Settle.

use tasker_core::Timestamp;
use tasker_store::{Guard, Settled, Settlement, Verdict};

use super::round::Round;
use super::slots::{Rows, task_hex, worker_hex};
use crate::failure::Failure;
use crate::sql::Part;

impl Round<'_> {
    /// Records how attempts ended. Those with much to store go in several scripts of the one transaction.
    pub(super) async fn settle(&mut self, settlements: &[Settlement]) -> Result<(), Failure> {
        self.reply.settled = vec![Settled::Stale; settlements.len()];
        let mut rows = Rows::default();
        let mut first = 0;
        for (place, settlement) in settlements.iter().enumerate() {
            rows.push(&row_of(settlement, self.now));
            if rows.is_full() || place + 1 == settlements.len() {
                self.put(Part::Settle).await?;
                self.first_settlement = first;
                self.slots.settlements = Some(std::mem::take(&mut rows).into_text());
                first = place + 1;
            }
        }
        if settlements.iter().any(|settlement| settlement.guard == Guard::Expired) {
            self.send().await?;
            self.revoke().await?;
        }
        Ok(())
    }
}

/// A settlement as `queries/steps/settle.sql` reads it.
fn row_of(
    settlement: &Settlement,
    now: Timestamp,
) -> (String, u32, u32, Option<String>, &'static str, Option<i64>, Option<String>) {
    let worker = match settlement.guard {
        Guard::Held { worker } => Some(worker_hex(worker)),
        Guard::Expired => None,
    };
    let (verdict, when, document) = match &settlement.verdict {
        Verdict::Complete { results } => ("complete", None, Some(results.to_string())),
        Verdict::Retry { failure, when } => ("retry", Some(*when), Some(as_json(failure))),
        Verdict::Fail { failure } => ("fail", None, Some(as_json(failure))),
        Verdict::Snooze { when } => ("snooze", Some(*when), None),
    };
    let step = settlement.key.step;
    let ready_at = when.map(|when| when.from(now).as_micros());
    (task_hex(step.task()), step.ordinal(), settlement.key.attempt, worker, verdict, ready_at, document)
}

fn as_json(failure: &tasker_core::Failure) -> String {
    serde_json::to_string(failure).expect("invariant: a failure is made of texts and JSON")
}
