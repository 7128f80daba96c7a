//! Reading, the feed, templates and upkeep.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tasker_core::{LeaseKey, Namespace, State, StepId, TaskId, TemplateKey, Timestamp, WorkerId};

use super::MemoryStore;
use super::tables::{LaneRow, PlanRow, Tables, TemplateRow, index};
use crate::error::StoreError;
use crate::feed::{FeedPage, Transition};
use crate::record::{
    Inputs, Page, Pause, PruneReport, QueueDepth, Retention, StepRecord, TaskCount, TaskFilter, TaskRecord,
    TaskSort,
};
use crate::template::{
    PlanId, PutTemplate, StoredPlan, StoredTemplate, TemplateConflict, TemplateId, WhenTaken,
};
use crate::traits::{Deadlines, FeedStore, ReadStore, TemplateStore, UpkeepStore};
use crate::wake::Wake;
use crate::work::Expired;
use crate::worker::WorkerRecord;

#[async_trait]
impl TemplateStore for MemoryStore {
    async fn put_template(
        &self,
        put: PutTemplate,
    ) -> Result<Result<TemplateId, TemplateConflict>, StoreError> {
        let now = self.now();
        Ok(self.tables().put_template(put, now))
    }

    async fn plan(&self, template: TemplateId, priority: i32) -> Result<Option<PlanId>, StoreError> {
        Ok(self.tables().make_plan(template, priority))
    }

    async fn read_plan(&self, plan: PlanId) -> Result<Option<Arc<StoredPlan>>, StoreError> {
        let tables = self.tables();
        Ok(tables.plan(plan).map(|row| {
            let template = Arc::clone(&tables.templates[row.template].template);
            Arc::new(StoredPlan { id: plan, template, priority: row.priority })
        }))
    }

    async fn template(&self, key: &TemplateKey) -> Result<Option<StoredTemplate>, StoreError> {
        let tables = self.tables();
        let found = tables.templates.iter().zip(1..).find(|(row, _)| row.current && row.key == *key);
        Ok(found.map(|(row, id)| StoredTemplate {
            id: TemplateId(id),
            template: Arc::clone(&row.template),
            created_at: row.created_at,
        }))
    }

    async fn template_keys(&self) -> Result<Vec<TemplateKey>, StoreError> {
        let tables = self.tables();
        let mut keys: Vec<_> =
            tables.templates.iter().filter(|row| row.current).map(|row| row.key.clone()).collect();
        keys.sort();
        Ok(keys)
    }
}

impl Tables {
    fn put_template(&mut self, put: PutTemplate, now: Timestamp) -> Result<TemplateId, TemplateConflict> {
        let key = put.template.key();
        let mut same_key = self.templates.iter_mut().zip(1..).filter(|(row, _)| row.key == key);
        if let Some((row, id)) = same_key.find(|(row, _)| row.current) {
            if row.template.digest() == put.template.digest() {
                return Ok(TemplateId(id));
            }
            match put.when_taken {
                WhenTaken::Refuse => return Err(TemplateConflict { key }),
                WhenTaken::Replace => row.current = false,
            }
        }
        let earlier = self.templates.iter_mut().zip(1..);
        let mut earlier = earlier.filter(|(row, _)| row.key == key);
        if let Some((row, id)) = earlier.find(|(row, _)| row.template.digest() == put.template.digest()) {
            row.current = true;
            return Ok(TemplateId(id));
        }
        self.templates.push(TemplateRow { key, template: put.template, created_at: now, current: true });
        Ok(TemplateId(i64::try_from(self.templates.len()).unwrap_or(i64::MAX)))
    }

    fn make_plan(&mut self, template: TemplateId, priority: i32) -> Option<PlanId> {
        let index = index(template.0)?;
        let recipe = Arc::clone(&self.templates.get(index)?.template);
        let existing =
            self.plans.iter().zip(1..).find(|(row, _)| row.template == index && row.priority == priority);
        if let Some((_, id)) = existing {
            return Some(PlanId(id));
        }
        let lanes = recipe.steps.iter().map(|step| {
            let lane = LaneRow {
                namespace: recipe.namespace.clone(),
                queue: step.queue.clone(),
                handler: step.handler.clone(),
                priority: step.priority.saturating_add(priority),
            };
            self.lanes.iter().position(|other| *other == lane).unwrap_or_else(|| {
                self.lanes.push(lane);
                self.lanes.len() - 1
            })
        });
        let lanes = lanes.collect();
        self.plans.push(PlanRow { template: index, priority, lanes });
        Some(PlanId(i64::try_from(self.plans.len()).unwrap_or(i64::MAX)))
    }

    fn inputs(&self, id: StepId) -> Option<Inputs> {
        let row = self.tasks.get(&id.task())?;
        let step = row.steps.get(id.ordinal() as usize)?;
        let template = self.template_of(row.task.plan);
        let parents = template.dependencies().parents(id.ordinal()).iter();
        let results = |ordinal: &u32| row.steps[*ordinal as usize].results.clone().unwrap_or(Value::Null);
        Some(Inputs {
            step: id,
            context: step.inputs.clone().unwrap_or_else(|| row.task.context.clone()),
            origin: row.task.origin.clone(),
            dependencies: parents.map(|ordinal| (*ordinal, results(ordinal))).collect(),
        })
    }

    fn lists(&self, task: &TaskRecord, filter: &TaskFilter) -> bool {
        let template = self.template_of(task.plan);
        filter.namespace.as_ref().is_none_or(|namespace| *namespace == template.namespace)
            && filter.name.as_ref().is_none_or(|name| name == template.name.as_str())
            && (filter.states.is_empty() || filter.states.contains(&task.state))
            && filter.tags.iter().all(|tag| task.tags.contains(tag))
    }

    fn prune(&mut self, retention: Retention, limit: u32, now: Timestamp) -> PruneReport {
        let is_old = |task: &TaskRecord| {
            let keep = match task.state {
                State::Complete | State::Cancelled | State::ResolvedManually => retention.ended,
                State::Error => retention.failed,
                State::Pending | State::InProgress => return false,
            };
            task.ended_at.is_some_and(|ended| ended.plus(keep) <= now)
        };
        let old: Vec<_> =
            self.tasks.values().filter(|row| is_old(&row.task)).map(|row| row.task.id).collect();
        let removed: BTreeSet<_> = old.iter().take(limit as usize).copied().collect();
        for id in &removed {
            self.forget(*id);
        }
        self.feed.retain(|transition| !removed.contains(&transition.task));
        PruneReport { tasks: removed.len() as u64, more: old.len() > removed.len() }
    }

    fn forget_workers(&mut self, now: Timestamp) {
        let is_gone = |worker: &&WorkerRecord| worker.seen_at.plus(WorkerRecord::FORGOTTEN_AFTER) <= now;
        let gone = self.workers.values().filter(is_gone).map(|worker| worker.id);
        for id in gone.take(WorkerRecord::FORGOTTEN_AT_ONCE as usize).collect::<Vec<_>>() {
            self.workers.remove(&id);
        }
    }
}

#[async_trait]
impl ReadStore for MemoryStore {
    async fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
        Ok(self.tables().tasks.get(&id).map(|row| row.task.clone()))
    }

    async fn steps(&self, task: TaskId) -> Result<Vec<StepRecord>, StoreError> {
        Ok(self.tables().tasks.get(&task).map(|row| row.steps.clone()).unwrap_or_default())
    }

    async fn tasks(&self, filter: &TaskFilter, page: Page) -> Result<Vec<TaskRecord>, StoreError> {
        let tables = self.tables();
        let mut listed: Vec<_> =
            tables.tasks.values().map(|row| &row.task).filter(|task| tables.lists(task, filter)).collect();
        if page.sort == TaskSort::NewestFirst {
            listed.reverse();
        }
        let part = listed.into_iter().skip(page.offset as usize).take(page.limit as usize);
        Ok(part.cloned().collect())
    }

    async fn inputs(&self, steps: &[StepId]) -> Result<Vec<Inputs>, StoreError> {
        let tables = self.tables();
        Ok(steps.iter().filter_map(|id| tables.inputs(*id)).collect())
    }

    async fn history(&self, task: TaskId) -> Result<Vec<Transition>, StoreError> {
        Ok(self.tables().feed.iter().filter(|transition| transition.task == task).cloned().collect())
    }

    async fn namespace_pause(&self, namespace: &Namespace) -> Result<Option<Pause>, StoreError> {
        Ok(self.tables().paused.get(namespace).cloned())
    }

    async fn lanes(&self) -> Result<Vec<QueueDepth>, StoreError> {
        let now = self.now();
        Ok(self.tables().depths(now))
    }

    async fn task_counts(&self) -> Result<Vec<TaskCount>, StoreError> {
        Ok(self.tables().task_counts())
    }

    async fn late(&self, before: Timestamp) -> Result<Vec<(Namespace, u32)>, StoreError> {
        Ok(self.tables().late(before))
    }
}

#[async_trait]
impl FeedStore for MemoryStore {
    async fn feed(&self, after: i64, limit: u32) -> Result<FeedPage, StoreError> {
        let tables = self.tables();
        let start = tables.feed.partition_point(|transition| transition.seq <= after);
        let transitions: Vec<_> = tables.feed[start..].iter().take(limit as usize).cloned().collect();
        let next = transitions.last().map_or(after, |transition| transition.seq);
        Ok(FeedPage { transitions, next })
    }

    async fn feed_end(&self) -> Result<i64, StoreError> {
        Ok(self.tables().next_seq)
    }

    fn wake(&self) -> &Wake {
        &self.wake
    }
}

#[async_trait]
impl UpkeepStore for MemoryStore {
    async fn expired(&self, limit: u32) -> Result<Vec<Expired>, StoreError> {
        let now = self.now();
        let tables = self.tables();
        let due = tables.leased.iter().take_while(|(until, _)| *until <= now).take(limit as usize);
        let expired = due.filter_map(|(until, id)| {
            let step = tables.step(*id)?;
            let (worker, _) = step.lease?;
            let key = LeaseKey { step: *id, attempt: step.attempts };
            Some(Expired { key, plan: tables.tasks.get(&id.task())?.task.plan, worker, until: *until })
        });
        Ok(expired.collect())
    }

    async fn deadlines(&self) -> Result<Deadlines, StoreError> {
        let now = self.now();
        let tables = self.tables();
        let next_ready_at = tables.ready.iter().map(|(_, time, _)| *time).filter(|time| *time > now).min();
        Ok(Deadlines { now, next_ready_at, next_expiry: tables.leased.first().map(|(until, _)| *until) })
    }

    async fn prune(&self, retention: Retention, limit: u32) -> Result<PruneReport, StoreError> {
        let now = self.now();
        Ok(self.tables().prune(retention, limit, now))
    }

    async fn beat(&self, mut worker: WorkerRecord) -> Result<(), StoreError> {
        let now = self.now();
        worker.seen_at = now;
        let mut tables = self.tables();
        tables.workers.insert(worker.id, worker);
        tables.forget_workers(now);
        Ok(())
    }

    async fn leave(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.tables().workers.remove(&worker);
        Ok(())
    }

    async fn workers(&self, since: Timestamp) -> Result<Vec<WorkerRecord>, StoreError> {
        let tables = self.tables();
        Ok(tables.workers.values().filter(|worker| worker.seen_at >= since).cloned().collect())
    }
}
