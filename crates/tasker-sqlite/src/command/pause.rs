//! Pause and resume, of tasks and of namespaces.

use sqlx::sqlite::SqliteRow;
use tasker_core::{Namespace, TaskId};
use tasker_store::{CommandError, Done, Target};

use super::{Answer, Order, Say, done};
use crate::failure::Failure;
use crate::record::Record;
use crate::sql::{self, arguments};

impl Order<'_> {
    pub(super) async fn pause(&mut self, id: TaskId, say: Say<'_>) -> Result<Answer, Failure> {
        let Some(task) = self.find_task(id).await? else { return Ok(Err(CommandError::no_task(id))) };
        if task.state.is_ended() {
            return Ok(Err(CommandError::illegal(Target::Task(id), task.state, "be paused")));
        }
        if task.is_paused {
            return Ok(Err(CommandError::already_paused(&format!("task {id}"))));
        }
        let pause = arguments![task.key, self.now.as_micros(), say.by, say.reason];
        self.run(sql::PAUSE_TASK, pause).await?;
        Ok(done(&task, task.unfinished))
    }

    pub(super) async fn resume(&mut self, id: TaskId) -> Result<Answer, Failure> {
        let Some(task) = self.find_task(id).await? else { return Ok(Err(CommandError::no_task(id))) };
        if !task.is_paused {
            return Ok(Err(CommandError::not_paused(&format!("task {id}"))));
        }
        for row in &self.run(sql::RESUME_TASK, arguments![task.key]).await? {
            self.opened += u64::from(Record::new(row, "steps").count("opened")?);
        }
        Ok(done(&task, task.unfinished))
    }

    pub(super) async fn pause_namespace(
        &mut self,
        namespace: &Namespace,
        say: Say<'_>,
    ) -> Result<Answer, Failure> {
        let pause = arguments![namespace.as_str(), self.now.as_micros(), say.by, say.reason];
        if is_changed(&self.run(sql::PAUSE_NAMESPACE, pause).await?)? {
            return Ok(Ok(Done::default()));
        }
        Ok(Err(CommandError::already_paused(&format!("namespace {namespace}"))))
    }

    pub(super) async fn resume_namespace(&mut self, namespace: &Namespace) -> Result<Answer, Failure> {
        if is_changed(&self.run(sql::RESUME_NAMESPACE, arguments![namespace.as_str()]).await?)? {
            // How many steps of it are ready is not counted: one is enough for a hint.
            self.opened += 1;
            return Ok(Ok(Done::default()));
        }
        Ok(Err(CommandError::not_paused(&format!("namespace {namespace}"))))
    }
}

fn is_changed(rows: &[SqliteRow]) -> Result<bool, Failure> {
    match rows.first() {
        Some(row) => Ok(Record::new(row, "namespaces").flag("is_changed")?),
        None => Ok(false),
    }
}
