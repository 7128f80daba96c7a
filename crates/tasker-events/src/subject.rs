//! What events are about.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use tasker_core::{LeaseKey, StepId, TaskId, TaskTemplate, Timestamp, WorkerId};

use crate::category::ErrorCategory;

/// A place beside a name where one listener may keep what it found for it, such as the series of a metric.
#[derive(Debug, Default)]
pub struct Cache(OnceLock<Arc<dyn Any + Send + Sync>>);

impl Cache {
    /// What is kept here, made by `make` if nothing is. `None` if somebody else keeps something of another type here.
    pub fn get<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.0.get_or_init(|| Arc::new(make())).downcast_ref()
    }
}

/// A template, as events name it.
#[derive(Debug)]
pub struct TaskKind {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// How many steps it has.
    pub steps: u32,
    /// For a listener.
    pub cache: Cache,
}

/// A step of a template, as events name it.
#[derive(Debug)]
pub struct StepKind {
    /// The template.
    pub task: Arc<TaskKind>,
    /// The name.
    pub name: String,
    /// The handler.
    pub handler: String,
    /// The queue.
    pub queue: String,
    /// For a listener.
    pub cache: Cache,
}

impl TaskKind {
    /// As a template names itself.
    pub fn of(template: &TaskTemplate) -> Arc<Self> {
        Arc::new(Self {
            namespace: template.namespace.to_string(),
            name: template.name.to_string(),
            version: template.version.to_string(),
            steps: u32::try_from(template.steps.len()).unwrap_or(u32::MAX),
            cache: Cache::default(),
        })
    }
}

impl StepKind {
    /// The steps of a template, by ordinal.
    pub fn all(task: &Arc<TaskKind>, template: &TaskTemplate) -> Vec<Arc<Self>> {
        let steps = template.steps.iter();
        let steps = steps.map(|step| {
            Arc::new(Self {
                task: Arc::clone(task),
                name: step.name.to_string(),
                handler: step.handler.to_string(),
                queue: step.queue.to_string(),
                cache: Cache::default(),
            })
        });
        steps.collect()
    }
}

/// A task. In a payload: `task_id`, `namespace`, `task_name`, `task_version`.
#[derive(Debug, Clone, Copy)]
pub struct TaskRef<'a> {
    /// Its id.
    pub id: TaskId,
    /// Its template.
    pub kind: &'a TaskKind,
}

/// A step. In a payload: what a task has, and `step_id`, `step_name`, `handler`, `queue`.
#[derive(Debug, Clone, Copy)]
pub struct StepRef<'a> {
    /// Its id.
    pub id: StepId,
    /// Its template.
    pub kind: &'a StepKind,
}

/// An attempt. In a payload: what a step has, and `attempt_number`.
#[derive(Debug, Clone, Copy)]
pub struct AttemptRef<'a> {
    /// The step and the number of the attempt.
    pub key: LeaseKey,
    /// The template of the step.
    pub kind: &'a StepKind,
}

impl<'a> StepRef<'a> {
    /// The task it is of.
    pub fn task(self) -> TaskRef<'a> {
        TaskRef { id: self.id.task(), kind: &self.kind.task }
    }
}

impl<'a> AttemptRef<'a> {
    /// The step it is of.
    pub fn step(self) -> StepRef<'a> {
        StepRef { id: self.key.step, kind: self.kind }
    }
}

/// Something that stands in a payload.
pub(crate) trait About {
    /// The task that it is, or that it belongs to.
    fn task(&self) -> Option<TaskId> {
        None
    }
}

impl About for TaskId {
    fn task(&self) -> Option<TaskId> {
        Some(*self)
    }
}

impl About for TaskRef<'_> {
    fn task(&self) -> Option<TaskId> {
        Some(self.id)
    }
}

impl About for StepRef<'_> {
    fn task(&self) -> Option<TaskId> {
        Some(self.id.task())
    }
}

impl About for AttemptRef<'_> {
    fn task(&self) -> Option<TaskId> {
        Some(self.key.step.task())
    }
}

macro_rules! about_none {
    ($($kind:ty),*) => { $(impl About for $kind {})* };
}

about_none!(bool, u32, u64, i64, f64, &str, String, Timestamp, WorkerId, ErrorCategory);

impl<T> About for Option<T> {}

fn put_task<M: SerializeMap>(map: &mut M, task: TaskRef<'_>) -> Result<(), M::Error> {
    map.serialize_entry("task_id", &task.id)?;
    map.serialize_entry("namespace", &task.kind.namespace)?;
    map.serialize_entry("task_name", &task.kind.name)?;
    map.serialize_entry("task_version", &task.kind.version)
}

fn put_step<M: SerializeMap>(map: &mut M, step: StepRef<'_>) -> Result<(), M::Error> {
    put_task(map, step.task())?;
    map.serialize_entry("step_id", &step.id.to_string())?;
    map.serialize_entry("step_name", &step.kind.name)?;
    map.serialize_entry("handler", &step.kind.handler)?;
    map.serialize_entry("queue", &step.kind.queue)
}

impl Serialize for TaskRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        put_task(&mut map, *self)?;
        map.end()
    }
}

impl Serialize for StepRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        put_step(&mut map, *self)?;
        map.end()
    }
}

impl Serialize for AttemptRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        put_step(&mut map, self.step())?;
        map.serialize_entry("attempt_number", &self.key.attempt)?;
        map.end()
    }
}
