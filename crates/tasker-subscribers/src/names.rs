//! The names behind the ids of transitions.

use std::collections::HashMap;
use std::sync::Arc;

use tasker_core::TaskId;
use tasker_events::{StepKind, TaskKind};
use tasker_store::{PlanId, Store, StoreError};

/// The templates of so many tasks are remembered.
const REMEMBERED: usize = 20_000;

/// A template and its steps, by ordinal.
pub(crate) struct Kinds {
    pub(crate) task: Arc<TaskKind>,
    pub(crate) steps: Vec<Arc<StepKind>>,
}

/// Looks up the templates of tasks, once for each task.
pub(crate) struct Names {
    store: Arc<dyn Store>,
    plans: HashMap<PlanId, Arc<Kinds>>,
    tasks: HashMap<TaskId, Named>,
}

/// What a task is called.
#[derive(Clone)]
pub(crate) struct Named {
    /// Its template.
    pub(crate) kinds: Arc<Kinds>,
    /// What all that was caused by one request has in common.
    pub(crate) correlation_id: Option<Arc<str>>,
}

impl Names {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, plans: HashMap::new(), tasks: HashMap::new() }
    }

    /// What a task is called; `None` if the task is gone.
    pub(crate) async fn of(&mut self, task: TaskId) -> Result<Option<Named>, StoreError> {
        if let Some(known) = self.tasks.get(&task) {
            return Ok(Some(known.clone()));
        }
        let Some(record) = self.store.task(task).await? else { return Ok(None) };
        let Some(kinds) = self.of_plan(record.plan).await? else { return Ok(None) };
        if self.tasks.len() >= REMEMBERED {
            self.tasks.clear();
        }
        let correlation_id = record.origin.correlation_id.map(Arc::from);
        let named = Named { kinds, correlation_id };
        self.tasks.insert(task, named.clone());
        Ok(Some(named))
    }

    async fn of_plan(&mut self, plan: PlanId) -> Result<Option<Arc<Kinds>>, StoreError> {
        if let Some(known) = self.plans.get(&plan) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(stored) = self.store.read_plan(plan).await? else { return Ok(None) };
        let task = TaskKind::of(&stored.template);
        let steps = StepKind::all(&task, &stored.template);
        let kinds = Arc::new(Kinds { task, steps });
        self.plans.insert(plan, Arc::clone(&kinds));
        Ok(Some(kinds))
    }
}
