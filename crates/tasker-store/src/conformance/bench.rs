//! The bench that a case works at: an empty store, its clock, and short verbs.
//!
//! [`mod@submit`] makes tasks, [`mod@work`] claims and settles, [`mod@orders`] gives commands, [`mod@text`]
//! shows tasks as text, [`mod@invariants`] holds the rows against the pure functions of tasker-core.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tasker_core::{Clock, ManualClock, StepId, TaskId, TaskTemplate, Timestamp, WorkerId};

use crate::record::{StepRecord, TaskRecord};
use crate::template::PlanId;
use crate::traits::Store;

mod invariants;
mod orders;
mod submit;
mod text;
mod work;

pub(crate) use orders::{cancellation, namespace};
pub use text::{assert_lines, lines};
pub(crate) use text::{settled_text, transition_line};
pub(crate) use work::failure;
pub use work::{Hand, LEASE};

/// How long a case may wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A fresh, empty store with what a case needs around it.
pub struct Bench {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock it goes by. Time moves only here.
    pub clock: Arc<ManualClock>,
    count: AtomicU64,
    /// What must outlive the store: temporary folders, databases. Dropped last.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// The clock that a bench begins with: it stands at 2026-01-01T00:00:00Z.
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_micros(1_767_225_600_000_000)))
}

/// The `number`-th worker.
pub fn worker(number: u128) -> WorkerId {
    WorkerId::from(uuid::Uuid::from_u128(number))
}

impl Bench {
    /// A bench with an empty store that goes by `clock`, for which [`clock`] is good.
    pub fn new(store: Arc<dyn Store>, clock: Arc<ManualClock>, keep: Box<dyn Any + Send + Sync>) -> Self {
        Self { store, clock, count: AtomicU64::new(0), keep }
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets so many seconds pass.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The time so many seconds from now.
    pub fn in_seconds(&self, seconds: u64) -> Timestamp {
        self.now().plus(Duration::from_secs(seconds))
    }

    /// An id for a task that is greater than those before.
    pub fn task_id(&self) -> TaskId {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        TaskId::new(self.now(), u128::from(count) << 20)
    }

    /// A task as it is stored.
    pub async fn task(&self, task: TaskId) -> TaskRecord {
        let found = self.store.task(task).await.expect("the store reads a task");
        found.expect("the task exists")
    }

    /// The steps of a task as they are stored.
    pub async fn steps(&self, task: TaskId) -> Vec<StepRecord> {
        self.store.steps(task).await.expect("the store reads steps")
    }

    /// A step as it is stored.
    pub async fn step(&self, task: TaskId, name: &str) -> StepRecord {
        let ordinal = self.step_id(task, name).await.ordinal() as usize;
        self.steps(task).await.swap_remove(ordinal)
    }

    /// The id of a step.
    pub async fn step_id(&self, task: TaskId, name: &str) -> StepId {
        let template = self.template_of(task).await;
        let ordinal = template.step(&name.parse().expect("a step's name"));
        task.step(ordinal.unwrap_or_else(|| panic!("there is no step {name}")).0)
    }

    /// The template of a task.
    pub async fn template_of(&self, task: TaskId) -> Arc<TaskTemplate> {
        self.template_of_plan(self.task(task).await.plan).await
    }

    /// The template of a plan.
    pub async fn template_of_plan(&self, plan: PlanId) -> Arc<TaskTemplate> {
        let plan = self.store.read_plan(plan).await.expect("the store reads a plan");
        Arc::clone(&plan.expect("the plan of a task exists").template)
    }

    /// What the handler of a step gets: its context, and the results of each step it depends on.
    pub async fn inputs(&self, task: TaskId, step: &str) -> (Value, Vec<(u32, Value)>) {
        let step = self.step_id(task, step).await;
        let mut found = self.store.inputs(&[step]).await.expect("the store reads inputs");
        let inputs = found.pop().expect("the step exists");
        assert_eq!(inputs.step, step);
        (inputs.context, inputs.dependencies)
    }
}
