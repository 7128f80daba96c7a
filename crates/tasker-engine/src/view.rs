//! A task with its template and its steps, as people and programs look at it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tasker_core::{
    Failure, Progress, Readiness, State, StepTally, StepTemplate, TaskTemplate, Timestamp, readiness,
};
use tasker_store::{StepRecord, TaskRecord};

/// A task with its template and its steps, as it stood at `now`.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// The task.
    pub task: TaskRecord,
    /// What it runs.
    pub template: Arc<TaskTemplate>,
    /// What is added to the priority of every step.
    pub priority: i32,
    /// Its steps, by ordinal.
    pub steps: Vec<StepRecord>,
    /// When it was read, by the store's clock.
    pub now: Timestamp,
}

/// One step of a [`TaskView`], as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct StepView<'a> {
    /// Its id.
    pub step_id: tasker_core::StepId,
    /// Its name.
    pub name: &'a str,
    /// Its handler.
    pub handler: &'a str,
    /// Its state.
    pub status: State,
    /// Whether it may run.
    #[serde(flatten)]
    pub readiness: Readiness,
    /// The number of the latest attempt; 0 before the first.
    pub attempts: u32,
    /// The last attempt that may be made.
    pub retry_limit: u32,
    /// The steps it depends on.
    pub depends_on: Vec<&'a str>,
    /// When its latest attempt began.
    pub started_at: Option<Timestamp>,
    /// When its latest attempt ended well, or it was resolved.
    pub completed_at: Option<Timestamp>,
    /// What it produced.
    pub results: Option<&'a Value>,
    /// What went wrong in its latest failed attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<&'a Failure>,
}

impl TaskView {
    /// How far the task is.
    pub fn progress(&self) -> Progress {
        let facts: Vec<_> = self.steps.iter().map(StepRecord::facts).collect();
        Progress::of(StepTally::of(&facts, self.now))
    }

    /// The template of a step.
    pub fn step_template(&self, step: &StepRecord) -> &StepTemplate {
        &self.template.steps[step.id.ordinal() as usize]
    }

    /// The steps as they are shown, by ordinal.
    pub fn step_views(&self) -> impl Iterator<Item = StepView<'_>> {
        self.steps.iter().map(|step| {
            let template = self.step_template(step);
            StepView {
                step_id: step.id,
                name: template.name.as_str(),
                handler: template.handler.as_str(),
                status: step.state,
                readiness: readiness(&step.facts(), self.now),
                attempts: step.attempts,
                retry_limit: step.retry_limit,
                depends_on: template.depends_on.iter().map(tasker_core::StepName::as_str).collect(),
                started_at: step.started_at,
                completed_at: step.ended_at.filter(|_| step.state.satisfies_dependents()),
                results: step.results.as_ref(),
                failure: step.failure.as_ref(),
            }
        })
    }

    /// The whole task as JSON: its status, progress and steps.
    pub fn to_json(&self) -> Value {
        let task = &self.task;
        serde_json::json!({
            "task_id": task.id,
            "namespace": self.template.namespace.as_str(),
            "name": self.template.name.as_str(),
            "version": self.template.version.to_string(),
            "full_name": self.template.key().to_string(),
            "status": task.state,
            "priority": self.priority,
            "context": task.context,
            "initiator": task.initiator,
            "source_system": task.source_system,
            "reason": task.reason,
            "tags": task.tags,
            "requested_at": task.requested_at,
            "started_at": task.started_at,
            "ended_at": task.ended_at,
            "paused_by": task.paused.as_ref().map(|pause| &pause.by),
            "progress": self.progress(),
            "steps": self.step_views().collect::<Vec<_>>(),
        })
    }
}
