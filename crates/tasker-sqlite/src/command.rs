//! Commands: what they are about is read, what is to be done is decided here, and then written, all in the
//! transaction of the batch.

mod cancel;
mod judge;
mod pause;
mod resolve;
mod retry;
mod update;

use serde_json::json;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use tasker_core::{State, StepId, TaskId, Timestamp};
use tasker_store::{Command, CommandError, Done, Target};

use crate::failure::Failure;
use crate::record::{Key, Record};
use crate::session::Session;
use crate::sql::{self, arguments};

/// What became of a command, unless the database failed.
type Answer = Result<Done, CommandError>;

/// A command at work.
pub(crate) struct Order<'a> {
    session: &'a mut Session,
    now: Timestamp,
    /// How many steps can be claimed by it.
    opened: u64,
}

/// Who gives a command, and why.
#[derive(Clone, Copy)]
struct Say<'a> {
    by: &'a str,
    reason: Option<&'a str>,
}

/// A task that a command is about.
#[derive(Debug, Clone, Copy)]
struct Task {
    id: TaskId,
    key: i64,
    state: State,
    unfinished: u32,
    active: u32,
    is_paused: bool,
}

/// A step that a command is about.
#[derive(Debug, Clone, Copy)]
struct Step {
    key: i64,
    state: State,
    is_ready: bool,
}

impl Step {
    /// Whether it can still go on by itself.
    fn is_active(&self) -> bool {
        self.state == State::InProgress || self.is_ready
    }
}

impl Say<'_> {
    /// The reason as the record keeps it.
    fn details(&self) -> Option<String> {
        self.reason.map(|reason| json!({ "reason": reason }).to_string())
    }
}

impl<'a> Order<'a> {
    pub(crate) fn new(session: &'a mut Session, now: Timestamp) -> Self {
        Self { session, now, opened: 0 }
    }

    /// How many steps can be claimed by what was done.
    pub(crate) fn opened(&self) -> u64 {
        self.opened
    }

    /// Carries out a command.
    pub(crate) async fn give(&mut self, command: &Command) -> Result<Answer, Failure> {
        match command {
            Command::Cancel { target, by, reason } => {
                let say = Say { by, reason: reason.as_deref() };
                match *target {
                    Target::Task(id) => self.cancel_task(id, say).await,
                    Target::Step(id) => self.cancel_step(id, say).await,
                }
            }
            Command::Retry { target, attempts, by } => match *target {
                Target::Task(id) => self.retry_task(id, *attempts, by).await,
                Target::Step(id) => self.retry_step(id, *attempts, by).await,
            },
            Command::Resolve { target, results, by, reason } => {
                let say = Say { by, reason: reason.as_deref() };
                match *target {
                    Target::Task(id) => self.resolve_task(id, say).await,
                    Target::Step(id) => self.resolve_step(id, results.as_ref(), say).await,
                }
            }
            Command::Pause { task, by, reason } => {
                self.pause(*task, Say { by, reason: reason.as_deref() }).await
            }
            Command::Resume { task, .. } => self.resume(*task).await,
            Command::PauseNamespace { namespace, by, reason } => {
                self.pause_namespace(namespace, Say { by, reason: reason.as_deref() }).await
            }
            Command::ResumeNamespace { namespace, .. } => self.resume_namespace(namespace).await,
            Command::UpdateStep { step, inputs, retry_limit, .. } => {
                self.update_step(*step, inputs.as_ref(), *retry_limit).await
            }
            Command::UpdateTask { task, reason, tags, .. } => {
                self.update_task(*task, reason.as_deref(), tags.as_deref()).await
            }
        }
    }

    async fn find_task(&mut self, id: TaskId) -> Result<Option<Task>, Failure> {
        let rows = self.run(sql::FIND_TASK, arguments![id.as_uuid().as_bytes().to_vec()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let row = Record::new(row, "tasks").of(Key::Task(id));
        Ok(Some(Task {
            id,
            key: row.get("key")?,
            state: row.parsed("state")?,
            unfinished: row.count("unfinished")?,
            active: row.count("active")?,
            is_paused: row.flag("is_paused")?,
        }))
    }

    async fn find_step(&mut self, id: StepId) -> Result<Option<(Task, Step)>, Failure> {
        let Some(task) = self.find_task(id.task()).await? else { return Ok(None) };
        let rows = self.run(sql::FIND_STEP, arguments![task.key, id.ordinal()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let row = Record::new(row, "steps").of(Key::Step(id));
        let (key, state) = (row.get("key")?, row.parsed("state")?);
        let is_ready = row.time_if_any("ready_at")?.is_some();
        Ok(Some((task, Step { key, state, is_ready })))
    }

    async fn run(
        &mut self,
        statement: &'static str,
        arguments: SqliteArguments,
    ) -> Result<Vec<SqliteRow>, Failure> {
        Ok(self.session.run(statement, arguments).await?)
    }
}

/// What is answered when something was done about a task.
#[expect(clippy::unnecessary_wraps, reason = "it is what every command that is not refused answers")]
fn done(task: &Task, steps: u32) -> Answer {
    Ok(Done { steps, task_state: Some(task.state) })
}
