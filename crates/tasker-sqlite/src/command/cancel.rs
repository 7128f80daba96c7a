//! Cancel.

use tasker_core::{State, StepId, TaskEvent, TaskId};
use tasker_store::{Cause, CommandError, Target};

use super::{Answer, Order, Say, Step, Task, done};
use crate::failure::Failure;
use crate::record::Record;
use crate::sql::{self, arguments};

impl Order<'_> {
    pub(super) async fn cancel_task(&mut self, id: TaskId, say: Say<'_>) -> Result<Answer, Failure> {
        let Some(task) = self.find_task(id).await? else { return Ok(Err(CommandError::no_task(id))) };
        if task.state.task_after(TaskEvent::Cancel).is_none() {
            return Ok(Err(CommandError::illegal(Target::Task(id), task.state, "be cancelled")));
        }
        self.end_task(task, (TaskEvent::Cancel, Cause::Cancelled), Cause::TaskCancelled, say).await
    }

    pub(super) async fn cancel_step(&mut self, id: StepId, say: Say<'_>) -> Result<Answer, Failure> {
        let Some((mut task, step)) = self.find_step(id).await? else {
            return Ok(Err(CommandError::no_step(id)));
        };
        if step.state.is_ended() {
            return Ok(Err(CommandError::illegal(Target::Step(id), step.state, "be cancelled")));
        }
        self.end_step(&mut task, &step, (State::Cancelled, Cause::Cancelled, None), say).await?;
        self.judge(&mut task, say.by).await?;
        Ok(done(&task, 1))
    }

    /// Ends a task, and cancels each of its steps that has not ended.
    pub(super) async fn end_task(
        &mut self,
        mut task: Task,
        end: (TaskEvent, Cause),
        cause: Cause,
        say: Say<'_>,
    ) -> Result<Answer, Failure> {
        let (now, cause) = (self.now.as_micros(), cause.as_str());
        let ending = arguments![task.key, now, cause, say.by, say.details()];
        let rows = self.run(sql::END_OPEN_STEPS, ending).await?;
        let steps = match rows.first() {
            Some(row) => Record::new(row, "steps").count("steps")?,
            None => 0,
        };
        (task.unfinished, task.active) = (0, 0);
        self.move_task(&mut task, &[end], say).await?;
        Ok(done(&task, steps))
    }

    /// Ends a step, and takes it out of the counts of its task, which is then to be judged.
    pub(super) async fn end_step(
        &mut self,
        task: &mut Task,
        step: &Step,
        (state, cause, results): (State, Cause, Option<String>),
        say: Say<'_>,
    ) -> Result<(), Failure> {
        let (now, state, cause) = (self.now.as_micros(), state.as_str(), cause.as_str());
        let ending = arguments![step.key, now, state, cause, say.by, say.details(), results];
        self.run(sql::END_STEP, ending).await?;
        task.unfinished = task.unfinished.saturating_sub(1);
        task.active = task.active.saturating_sub(u32::from(step.is_active()));
        Ok(())
    }
}
