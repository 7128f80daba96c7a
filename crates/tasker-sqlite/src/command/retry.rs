//! Retry.

use tasker_core::{State, StepId, TaskId};
use tasker_store::{Attempts, CommandError, Target};

use super::{Answer, Order, Task, done};
use crate::failure::Failure;
use crate::record::Record;
use crate::sql::{self, arguments};

impl Order<'_> {
    pub(super) async fn retry_task(
        &mut self,
        id: TaskId,
        attempts: Attempts,
        by: &str,
    ) -> Result<Answer, Failure> {
        let Some(task) = self.find_task(id).await? else { return Ok(Err(CommandError::no_task(id))) };
        if task.state.is_ended() {
            return Ok(Err(CommandError::illegal(Target::Task(id), task.state, "be retried")));
        }
        self.retry_steps(task, None, attempts, by).await
    }

    pub(super) async fn retry_step(
        &mut self,
        id: StepId,
        attempts: Attempts,
        by: &str,
    ) -> Result<Answer, Failure> {
        let Some((task, step)) = self.find_step(id).await? else { return Ok(Err(CommandError::no_step(id))) };
        match step.state {
            State::Error => self.retry_steps(task, Some(id.ordinal()), attempts, by).await,
            state => Ok(Err(CommandError::illegal(Target::Step(id), state, "be retried"))),
        }
    }

    /// Gives failed steps another attempt: the one at `ordinal`, or all.
    async fn retry_steps(
        &mut self,
        mut task: Task,
        ordinal: Option<u32>,
        attempts: Attempts,
        by: &str,
    ) -> Result<Answer, Failure> {
        let more = match attempts {
            Attempts::Reset => None,
            Attempts::Extend(more) => Some(more),
        };
        let again = arguments![task.key, self.now.as_micros(), ordinal, more, by];
        let rows = self.run(sql::RETRY_STEPS, again).await?;
        let Some(row) = rows.first() else { return Ok(Err(CommandError::NothingToRetry(task.id))) };
        let row = Record::new(row, "steps");
        let steps = row.count("steps")?;
        if steps == 0 {
            return Ok(Err(CommandError::NothingToRetry(task.id)));
        }
        task.active += row.count("idle")?;
        self.opened += u64::from(row.count("opened")?);
        self.judge(&mut task, by).await?;
        Ok(done(&task, steps))
    }
}
