//! Resolve.

use serde_json::Value;
use tasker_core::{State, StepId, TaskEvent, TaskId};
use tasker_store::{Cause, CommandError, Target};

use super::{Answer, Order, Say, Step, Task, done};
use crate::failure::Failure;
use crate::record::Record;
use crate::sql::{self, arguments};

impl Order<'_> {
    pub(super) async fn resolve_task(&mut self, id: TaskId, say: Say<'_>) -> Result<Answer, Failure> {
        let Some(task) = self.find_task(id).await? else { return Ok(Err(CommandError::no_task(id))) };
        if task.state.task_after(TaskEvent::Resolve).is_none() {
            return Ok(Err(CommandError::illegal(Target::Task(id), task.state, "be resolved")));
        }
        self.end_task(task, (TaskEvent::Resolve, Cause::Resolved), Cause::TaskResolved, say).await
    }

    pub(super) async fn resolve_step(
        &mut self,
        id: StepId,
        results: Option<&Value>,
        say: Say<'_>,
    ) -> Result<Answer, Failure> {
        let Some((mut task, step)) = self.find_step(id).await? else {
            return Ok(Err(CommandError::no_step(id)));
        };
        if !matches!(step.state, State::Pending | State::Error) {
            return Ok(Err(CommandError::illegal(Target::Step(id), step.state, "be resolved")));
        }
        let end = (State::ResolvedManually, Cause::Resolved, results.map(Value::to_string));
        self.end_step(&mut task, &step, end, say).await?;
        self.promote(&mut task, &step).await?;
        self.judge(&mut task, say.by).await?;
        Ok(done(&task, 1))
    }

    /// Lets go on what waited for a step, and counts it in its task, which is then to be judged.
    async fn promote(&mut self, task: &mut Task, step: &Step) -> Result<(), Failure> {
        for row in &self.run(sql::PROMOTE_STEPS, arguments![step.key, self.now.as_micros()]).await? {
            let child = Record::new(row, "steps");
            let opens = child.flag("opens")?;
            task.active += u32::from(opens);
            self.opened += u64::from(opens && !child.flag("held")?);
        }
        Ok(())
    }
}
