//! Update, of steps and of tasks.

use serde_json::Value;
use tasker_core::{StepId, TaskId};
use tasker_store::{CommandError, Target};

use super::{Answer, Order, done};
use crate::failure::Failure;
use crate::sql::{self, arguments};

impl Order<'_> {
    pub(super) async fn update_step(
        &mut self,
        id: StepId,
        inputs: Option<&Value>,
        retry_limit: Option<u32>,
    ) -> Result<Answer, Failure> {
        let Some((task, step)) = self.find_step(id).await? else { return Ok(Err(CommandError::no_step(id))) };
        if step.state.is_ended() {
            return Ok(Err(CommandError::illegal(Target::Step(id), step.state, "be changed")));
        }
        let update = arguments![step.key, inputs.map(Value::to_string), retry_limit];
        self.run(sql::UPDATE_STEP, update).await?;
        Ok(done(&task, 1))
    }

    pub(super) async fn update_task(
        &mut self,
        id: TaskId,
        reason: Option<&str>,
        tags: Option<&[String]>,
    ) -> Result<Answer, Failure> {
        let Some(task) = self.find_task(id).await? else { return Ok(Err(CommandError::no_task(id))) };
        let tags = tags.map(|tags| serde_json::to_string(tags).expect("invariant: texts are JSON"));
        self.run(sql::UPDATE_TASK, arguments![task.key, reason, tags]).await?;
        Ok(done(&task, 0))
    }
}
