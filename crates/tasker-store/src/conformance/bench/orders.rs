//! Giving commands. It is always Ann who gives them.

use serde_json::Value;
use tasker_core::{Namespace, TaskId};

use super::Bench;
use crate::command::{Attempts, Command, CommandError, Done, Target};

/// Who gives every command.
const ANN: &str = "ann";

/// What a command was answered.
type Answer = Result<Done, CommandError>;

impl Bench {
    /// Gives a command.
    pub async fn order(&self, command: Command) -> Answer {
        self.store.command(command).await.expect("the store takes a command")
    }

    /// A step as the target of a command.
    pub async fn at(&self, task: TaskId, step: &str) -> Target {
        Target::Step(self.step_id(task, step).await)
    }

    /// Cancels a task.
    pub async fn cancel(&self, task: TaskId) -> Answer {
        self.order(cancellation(Target::Task(task))).await
    }

    /// Cancels a step.
    pub async fn cancel_step(&self, task: TaskId, step: &str) -> Answer {
        self.order(cancellation(self.at(task, step).await)).await
    }

    /// Retries all that failed in a task, as often as its template says.
    pub async fn retry(&self, task: TaskId) -> Answer {
        let target = Target::Task(task);
        self.order(Command::Retry { target, attempts: Attempts::Reset, by: ANN.to_owned() }).await
    }

    /// Retries a step.
    pub async fn retry_step(&self, task: TaskId, step: &str, attempts: Attempts) -> Answer {
        let target = self.at(task, step).await;
        self.order(Command::Retry { target, attempts, by: ANN.to_owned() }).await
    }

    /// Declares a task done.
    pub async fn resolve(&self, task: TaskId) -> Answer {
        self.order(resolution(Target::Task(task), None)).await
    }

    /// Declares a step done.
    pub async fn resolve_step(&self, task: TaskId, step: &str, results: Option<Value>) -> Answer {
        self.order(resolution(self.at(task, step).await, results)).await
    }

    /// Pauses a task.
    pub async fn pause(&self, task: TaskId) -> Answer {
        let reason = Some("lunch".to_owned());
        self.order(Command::Pause { task, by: ANN.to_owned(), reason }).await
    }

    /// Ends the pause of a task.
    pub async fn resume(&self, task: TaskId) -> Answer {
        self.order(Command::Resume { task, by: ANN.to_owned() }).await
    }

    /// Pauses a namespace.
    pub async fn pause_namespace(&self, name: &str) -> Answer {
        let (namespace, reason) = (namespace(name), Some("lunch".to_owned()));
        self.order(Command::PauseNamespace { namespace, by: ANN.to_owned(), reason }).await
    }

    /// Ends the pause of a namespace.
    pub async fn resume_namespace(&self, name: &str) -> Answer {
        self.order(Command::ResumeNamespace { namespace: namespace(name), by: ANN.to_owned() }).await
    }

    /// Changes the inputs or the retry limit of a step.
    pub async fn update_step(
        &self,
        task: TaskId,
        step: &str,
        inputs: Option<Value>,
        retry_limit: Option<u32>,
    ) -> Answer {
        let step = self.step_id(task, step).await;
        self.order(Command::UpdateStep { step, inputs, retry_limit, by: ANN.to_owned() }).await
    }

    /// Changes what describes a task.
    pub async fn update_task(&self, task: TaskId, reason: Option<&str>, tags: Option<&[&str]>) -> Answer {
        let reason = reason.map(str::to_owned);
        let tags = tags.map(|tags| tags.iter().map(|tag| (*tag).to_owned()).collect());
        self.order(Command::UpdateTask { task, reason, tags, by: ANN.to_owned() }).await
    }
}

/// The command that cancels.
pub(crate) fn cancellation(target: Target) -> Command {
    Command::Cancel { target, by: ANN.to_owned(), reason: Some("changed my mind".to_owned()) }
}

/// The command that resolves.
fn resolution(target: Target, results: Option<Value>) -> Command {
    Command::Resolve { target, results, by: ANN.to_owned(), reason: Some("done by hand".to_owned()) }
}

/// A namespace.
pub(crate) fn namespace(name: &str) -> Namespace {
    name.parse().expect("a namespace")
}
