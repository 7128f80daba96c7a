//! What nobody who waits for a task needs to know of, and so goes straight through.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{Namespace, StepId, TaskId, TemplateKey, Timestamp, WorkerId};
use tasker_store::{
    AttemptLog, Command, CommandError, Cursor, CursorRecord, CursorStore, Deadlines, Done, Expired, FeedPage,
    FeedStore, Inputs, LogStore, NewTask, Page, Pause, PlanId, PruneReport, PutTemplate, QueueDepth,
    ReadStore, Retention, StepRecord, StoreError, StoredPlan, StoredTemplate, SubmitError, Submitted,
    TaskCount, TaskFilter, TaskHistory, TaskRecord, TaskStore, TemplateConflict, TemplateId, TemplateStore,
    Transition, UpkeepStore, Wake, WorkerRecord,
};

use super::{Asked, Watched};

#[async_trait]
impl UpkeepStore for Watched {
    async fn beat(&self, worker: WorkerRecord) -> Result<(), StoreError> {
        self.store.beat(worker).await
    }

    async fn expired(&self, limit: u32) -> Result<Vec<Expired>, StoreError> {
        self.store.expired(limit).await
    }

    async fn deadlines(&self) -> Result<Deadlines, StoreError> {
        self.store.deadlines().await
    }

    async fn prune(&self, retention: Retention, limit: u32) -> Result<PruneReport, StoreError> {
        self.store.prune(retention, limit).await
    }

    async fn leave(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.store.leave(worker).await
    }

    async fn workers(&self, since: Timestamp) -> Result<Vec<WorkerRecord>, StoreError> {
        self.store.workers(since).await
    }
}

#[async_trait]
impl TaskStore for Watched {
    async fn submit(&self, tasks: Vec<NewTask>) -> Result<Result<Vec<Submitted>, SubmitError>, StoreError> {
        self.store.submit(tasks).await
    }

    async fn command(&self, command: Command) -> Result<Result<Done, CommandError>, StoreError> {
        self.store.command(command).await
    }
}

#[async_trait]
impl TemplateStore for Watched {
    async fn put_template(
        &self,
        put: PutTemplate,
    ) -> Result<Result<TemplateId, TemplateConflict>, StoreError> {
        self.store.put_template(put).await
    }

    async fn plan(&self, template: TemplateId, priority: i32) -> Result<Option<PlanId>, StoreError> {
        self.store.plan(template, priority).await
    }

    async fn read_plan(&self, plan: PlanId) -> Result<Option<Arc<StoredPlan>>, StoreError> {
        self.watch.over(Asked::Read, self.store.read_plan(plan)).await
    }

    async fn template(&self, key: &TemplateKey) -> Result<Option<StoredTemplate>, StoreError> {
        self.store.template(key).await
    }

    async fn template_keys(&self) -> Result<Vec<TemplateKey>, StoreError> {
        self.store.template_keys().await
    }
}

#[async_trait]
impl ReadStore for Watched {
    async fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
        self.store.task(id).await
    }

    async fn steps(&self, task: TaskId) -> Result<Vec<StepRecord>, StoreError> {
        self.store.steps(task).await
    }

    async fn tasks(&self, filter: &TaskFilter, page: Page) -> Result<Vec<TaskRecord>, StoreError> {
        self.store.tasks(filter, page).await
    }

    async fn inputs(&self, steps: &[StepId]) -> Result<Vec<Inputs>, StoreError> {
        self.watch.over(Asked::Read, self.store.inputs(steps)).await
    }

    async fn history(&self, task: TaskId) -> Result<Vec<Transition>, StoreError> {
        self.store.history(task).await
    }

    async fn step_history(&self, step: StepId, limit: u32) -> Result<Vec<Transition>, StoreError> {
        self.store.step_history(step, limit).await
    }

    async fn histories(&self, tasks: &[TaskId]) -> Result<Vec<TaskHistory>, StoreError> {
        self.store.histories(tasks).await
    }

    async fn namespace_pause(&self, namespace: &Namespace) -> Result<Option<Pause>, StoreError> {
        self.store.namespace_pause(namespace).await
    }

    async fn lanes(&self) -> Result<Vec<QueueDepth>, StoreError> {
        self.store.lanes().await
    }

    async fn task_counts(&self) -> Result<Vec<TaskCount>, StoreError> {
        self.store.task_counts().await
    }

    async fn late(&self, before: Timestamp) -> Result<Vec<(Namespace, u32)>, StoreError> {
        self.store.late(before).await
    }
}

#[async_trait]
impl FeedStore for Watched {
    async fn feed(&self, after: i64, limit: u32) -> Result<FeedPage, StoreError> {
        self.watch.over(Asked::Follow, self.store.feed(after, limit)).await
    }

    async fn feed_end(&self) -> Result<i64, StoreError> {
        self.store.feed_end().await
    }

    fn wake(&self) -> &Wake {
        self.store.wake()
    }
}

#[async_trait]
impl CursorStore for Watched {
    async fn hold_cursor(
        &self,
        name: &str,
        holder: WorkerId,
        lease: Duration,
        start: i64,
    ) -> Result<Option<Cursor>, StoreError> {
        self.store.hold_cursor(name, holder, lease, start).await
    }

    async fn move_cursor(&self, name: &str, holder: WorkerId, position: i64) -> Result<bool, StoreError> {
        self.store.move_cursor(name, holder, position).await
    }

    async fn release_cursor(&self, name: &str, holder: WorkerId) -> Result<(), StoreError> {
        self.store.release_cursor(name, holder).await
    }

    async fn cursors(&self) -> Result<Vec<CursorRecord>, StoreError> {
        self.store.cursors().await
    }
}

#[async_trait]
impl LogStore for Watched {
    async fn put_logs(&self, logs: Vec<AttemptLog>) -> Result<(), StoreError> {
        self.store.put_logs(logs).await
    }

    async fn logs(&self, task: TaskId, step: Option<StepId>) -> Result<Vec<AttemptLog>, StoreError> {
        self.store.logs(task, step).await
    }
}
