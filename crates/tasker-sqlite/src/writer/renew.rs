//! Renew.

use tasker_store::{Renewal, Renewed};

use super::round::Round;
use super::slots::{Rows, task_hex, worker_hex};
use crate::failure::Failure;
use crate::sql::Part;

impl Round<'_> {
    /// Makes leases hold for longer.
    pub(super) async fn renew(&mut self, renewals: &[Renewal]) -> Result<(), Failure> {
        let mut rows = Rows::default();
        for (wish, renewal) in renewals.iter().enumerate() {
            let worker = worker_hex(renewal.worker);
            let until = self.now.plus(renewal.lease).as_micros();
            self.reply.renewed.push(vec![Renewed::Lost; renewal.keys.len()]);
            for (place, key) in renewal.keys.iter().enumerate() {
                rows.push(&(task_hex(key.step.task()), key.step.ordinal(), key.attempt, &worker, until));
                self.renewals.push((wish, place));
            }
        }
        if rows.count() > 0 {
            self.put(Part::Renew).await?;
            self.slots.renewals = Some(rows.into_text());
        }
        Ok(())
    }
}
