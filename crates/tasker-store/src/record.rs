//! Tasks and steps as they are read back.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tasker_core::{Failure, Namespace, State, StepFacts, StepId, TaskId, Timestamp, WorkerId};

use crate::feed::Transition;
use crate::submit::Origin;
use crate::template::PlanId;

/// A task as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRecord {
    /// Its id.
    pub id: TaskId,
    /// What it runs.
    pub plan: PlanId,
    /// Its state.
    pub state: State,
    /// Steps that have not ended (complete, cancelled or resolved).
    pub unfinished: u32,
    /// Steps that can still go on by themselves: ready, at work, or waiting for a retry.
    pub active: u32,
    /// Its context.
    pub context: Value,
    /// Who asked for it.
    pub initiator: String,
    /// From which system.
    pub source_system: String,
    /// Why.
    pub reason: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Names of steps that the caller wanted bypassed.
    pub bypass_steps: Vec<String>,
    /// What makes it the same as another, if it was submitted with an identity.
    pub identity_hash: Option<String>,
    /// What it belongs to.
    pub origin: Origin,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When its first step was claimed.
    pub started_at: Option<Timestamp>,
    /// When it reached its present end: complete, cancelled, resolved, or error.
    pub ended_at: Option<Timestamp>,
    /// Who paused it, if it is paused.
    pub paused: Option<Pause>,
}

/// What a task is and when it was there, without what it works with and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskBrief {
    /// Its id.
    pub id: TaskId,
    /// What it runs.
    pub plan: PlanId,
    /// Its state.
    pub state: State,
    /// Who asked for it.
    pub initiator: String,
    /// From which system.
    pub source_system: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What it belongs to.
    pub origin: Origin,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it reached its present end: complete, cancelled, resolved, or error.
    pub ended_at: Option<Timestamp>,
}

impl From<TaskRecord> for TaskBrief {
    fn from(task: TaskRecord) -> Self {
        let TaskRecord { id, plan, state, initiator, source_system, tags, origin, .. } = task;
        let TaskRecord { requested_at, ended_at, .. } = task;
        Self { id, plan, state, initiator, source_system, tags, origin, requested_at, ended_at }
    }
}

/// A task with what happened to it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskHistory {
    /// The task.
    pub task: TaskBrief,
    /// Its transitions, in order.
    pub transitions: Vec<Transition>,
}

impl TaskHistory {
    /// Puts what was found into the order asked, each once.
    pub fn in_order(asked: &[TaskId], found: Vec<Self>) -> Vec<Self> {
        let mut found: HashMap<_, _> = found.into_iter().map(|history| (history.task.id, history)).collect();
        asked.iter().filter_map(|id| found.remove(id)).collect()
    }
}

/// Who keeps something from going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

/// A step as it is stored. What never changes stands in the template of its plan.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Its id.
    pub id: StepId,
    /// Its state.
    pub state: State,
    /// How many steps it depends on.
    pub parents: u32,
    /// How many of them are not yet complete or resolved.
    pub unmet: u32,
    /// The number of the latest attempt; 0 before the first.
    pub attempts: u32,
    /// The last attempt that may be made.
    pub retry_limit: u32,
    /// From when it may be claimed; `None` if it may not.
    pub ready_at: Option<Timestamp>,
    /// Whether its task is paused: the same for all steps of a task, ended or not.
    pub held: bool,
    /// Who is at it, and until when, if it is at work.
    pub lease: Option<(WorkerId, Timestamp)>,
    /// When its latest attempt began.
    pub started_at: Option<Timestamp>,
    /// When its latest attempt ended, or it was cancelled or resolved.
    pub ended_at: Option<Timestamp>,
    /// Inputs that take the place of the task's context, if someone changed them.
    pub inputs: Option<Value>,
    /// What it produced.
    pub results: Option<Value>,
    /// What went wrong in its latest failed attempt. Success clears it.
    pub failure: Option<Failure>,
}

impl StepRecord {
    /// What readiness is derived from.
    pub fn facts(&self) -> StepFacts {
        StepFacts {
            state: self.state,
            parents: self.parents,
            unmet: self.unmet,
            attempts: self.attempts,
            retry_limit: self.retry_limit,
            ready_at: self.ready_at,
            held: self.held,
        }
    }
}

/// What a handler gets to work with.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The step.
    pub step: StepId,
    /// The context of the task, or the step's own inputs if someone changed them.
    pub context: Value,
    /// What its task belongs to.
    pub origin: Origin,
    /// For each step it depends on, by ordinal: what that produced, or null if it has produced nothing. The
    /// order that a template which is not concurrent imposes makes no dependency.
    pub dependencies: Vec<(u32, Value)>,
}

/// Which tasks to list: those that all parts of the filter agree on. Texts are compared as they are.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    /// Only of this namespace.
    pub namespace: Option<Namespace>,
    /// Only of templates with this name.
    pub name: Option<String>,
    /// Only in one of these states; empty means any.
    pub states: Vec<State>,
    /// Only with all of these tags.
    pub tags: Vec<String>,
}

/// The order of a list of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskSort {
    /// Oldest first: by id, compared as bytes.
    #[default]
    OldestFirst,
    /// Newest first.
    NewestFirst,
}

/// Which part of a list to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: u32,
    /// Leaving out so many.
    pub offset: u32,
    /// In this order.
    pub sort: TaskSort,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: 20, offset: 0, sort: TaskSort::OldestFirst }
    }
}

/// How much waits in one lane, and how much is at work there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepth {
    /// The namespace.
    pub namespace: Namespace,
    /// The queue.
    pub queue: tasker_core::QueueName,
    /// The handler.
    pub handler: tasker_core::HandlerName,
    /// The priority.
    pub priority: i32,
    /// Since when the oldest step waits that is ready now and not held.
    pub oldest_ready_at: Option<Timestamp>,
    /// How many steps are ready now and not held, counted no further than [`COUNTED`](Self::COUNTED).
    pub ready: u32,
    /// How many steps are at work, those among them whose lease ran out and that nobody has rescued yet.
    pub running: u32,
    /// When the oldest attempt began that is at work.
    pub oldest_running_at: Option<Timestamp>,
    /// Whether its namespace is paused.
    pub paused: bool,
}

impl QueueDepth {
    /// How far the steps that are ready in a lane are counted: there are so many, or more. A longer queue costs no more
    /// to be asked for.
    pub const COUNTED: u32 = 10_000;
}

/// How far [`ReadStore::late`](crate::ReadStore::late) looks.
#[derive(Debug)]
pub enum Late {}

impl Late {
    /// How many tasks are counted at most.
    pub const COUNTED: u32 = 10_000;
    /// How many tasks are looked at at most. Where more than so many have not ended, be they paused or begun, younger
    /// ones may be left out.
    pub const LOOKED_AT: u32 = 100_000;

    /// The least id of a task that was asked for at `time`, to the millisecond.
    pub fn first_id(time: Timestamp) -> TaskId {
        // An id has 48 bits of milliseconds; later ones would begin again at the first.
        let last = Timestamp::from_micros(((1 << 48) - 1) * 1_000);
        TaskId::new(time.min(last), 0)
    }
}

/// How many tasks are in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskCount {
    /// The state.
    pub state: State,
    /// How many, counted no further than [`COUNTED`](Self::COUNTED).
    pub tasks: u32,
}

impl TaskCount {
    /// How far the tasks in a state are counted: there are so many, or more.
    pub const COUNTED: u32 = 10_000;
    /// How many tasks a store looks at least at that has to tell states apart: of those that have not ended the oldest,
    /// of the others those that ended last.
    pub const LOOKED_AT: u32 = 20_000;

    /// A count for every state, in their order; `tasks` is how many were found of some.
    pub fn of_all(tasks: impl Fn(State) -> u32) -> Vec<Self> {
        let count = |state| Self { state, tasks: tasks(state).min(Self::COUNTED) };
        State::ALL.into_iter().map(count).collect()
    }
}

/// What a round of pruning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PruneReport {
    /// Tasks removed, with their steps and transitions.
    pub tasks: u64,
    /// Whether others are left that could be removed as well.
    pub more: bool,
}

/// How long tasks are kept after their `ended_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Complete, cancelled and resolved tasks.
    pub ended: Duration,
    /// Tasks in error.
    pub failed: Duration,
}
