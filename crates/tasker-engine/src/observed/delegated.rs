//! The store beneath, asked for everything, and what is told of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{LeaseKey, Namespace, StepId, TaskId, TemplateKey, Timestamp, WorkerId};
use tasker_events::Event;
use tasker_store::{
    AttemptLog, ClaimRequest, Command, CommandError, CommitReport, Cursor, CursorRecord, CursorStore,
    Deadlines, Done, Expired, FeedPage, FeedStore, Inputs, Lease, LogStore, NewTask, Page, Pause, PlanId,
    PruneReport, PutTemplate, QueueDepth, ReadStore, Renewed, Retention, SettleReply, SettleRequest,
    StepRecord, StoreError, StoredPlan, StoredTemplate, SubmitError, Submitted, TaskCount, TaskFilter,
    TaskHistory, TaskRecord, TaskStore, TemplateConflict, TemplateId, TemplateStore, Transition, UpkeepStore,
    Wake, WorkStore, WorkerRecord,
};

use super::told::End;
use super::{Held, Observed};

#[async_trait]
impl WorkStore for Observed {
    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Lease>, StoreError> {
        let worker = (request.capacity > 0).then_some(request.worker);
        let leases = self.timed("claim", self.store.claim(request)).await?;
        self.leased(worker, &leases).await;
        Ok(leases)
    }

    async fn renew(
        &self,
        worker: WorkerId,
        keys: Vec<LeaseKey>,
        lease: Duration,
    ) -> Result<Vec<Renewed>, StoreError> {
        let asked = keys.clone();
        let renewed = self.timed("renew", self.store.renew(worker, keys, lease)).await?;
        let is_lost = |renewed: &&Renewed| **renewed == Renewed::Lost;
        let lost = renewed.iter().filter(is_lost).count();
        let lease_count = u32::try_from(renewed.len() - lost).unwrap_or(u32::MAX);
        if lease_count > 0 {
            self.events.emit(&Event::LeaseRenewed { worker, lease_count });
        }
        for (key, _) in asked.iter().zip(&renewed).filter(|(_, renewed)| is_lost(renewed)) {
            self.attempts().remove(key);
            self.events.emit(&Event::LeaseLost {
                worker,
                task_id: key.step.task(),
                step_id: key.step.to_string(),
                attempt_number: key.attempt,
            });
        }
        Ok(renewed)
    }

    async fn settle(&self, request: SettleRequest) -> Result<SettleReply, StoreError> {
        let ends = End::all(&request);
        let claim = request.claim.as_ref().filter(|claim| claim.capacity > 0);
        let worker = claim.map(|claim| claim.worker);
        let reply = self.timed("settle", self.store.settle(request)).await?;
        self.settled(&ends, &reply).await;
        self.leased(worker, &reply.leases).await;
        Ok(reply)
    }

    fn commit_report(&self) -> CommitReport {
        self.store.commit_report()
    }
}

#[async_trait]
impl TaskStore for Observed {
    async fn submit(&self, tasks: Vec<NewTask>) -> Result<Result<Vec<Submitted>, SubmitError>, StoreError> {
        let plans: Vec<PlanId> = tasks.iter().map(|task| task.plan).collect();
        let answer = self.timed("submit", self.store.submit(tasks)).await?;
        self.submitted(&plans, &answer).await;
        Ok(answer)
    }

    async fn command(&self, command: Command) -> Result<Result<Done, CommandError>, StoreError> {
        let answer = self.timed("command", self.store.command(command.clone())).await?;
        self.commanded(&command, &answer).await;
        Ok(answer)
    }
}

#[async_trait]
impl TemplateStore for Observed {
    async fn put_template(
        &self,
        put: PutTemplate,
    ) -> Result<Result<TemplateId, TemplateConflict>, StoreError> {
        let key = put.template.key().to_string();
        let answer = self.timed("put_template", self.store.put_template(put)).await?;
        match &answer {
            Ok(_) => self.events.emit(&Event::TemplateRegistered { key: &key }),
            Err(_) => self.events.emit(&Event::TemplateRefused { key: &key }),
        }
        Ok(answer)
    }

    async fn plan(&self, template: TemplateId, priority: i32) -> Result<Option<PlanId>, StoreError> {
        self.timed("plan", self.store.plan(template, priority)).await
    }

    async fn read_plan(&self, plan: PlanId) -> Result<Option<Arc<StoredPlan>>, StoreError> {
        self.timed("read_plan", self.store.read_plan(plan)).await
    }

    async fn template(&self, key: &TemplateKey) -> Result<Option<StoredTemplate>, StoreError> {
        self.timed("template", self.store.template(key)).await
    }

    async fn template_keys(&self) -> Result<Vec<TemplateKey>, StoreError> {
        self.timed("template_keys", self.store.template_keys()).await
    }
}

#[async_trait]
impl ReadStore for Observed {
    async fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
        self.timed("task", self.store.task(id)).await
    }

    async fn steps(&self, task: TaskId) -> Result<Vec<StepRecord>, StoreError> {
        self.timed("steps", self.store.steps(task)).await
    }

    async fn tasks(&self, filter: &TaskFilter, page: Page) -> Result<Vec<TaskRecord>, StoreError> {
        self.timed("tasks", self.store.tasks(filter, page)).await
    }

    async fn inputs(&self, steps: &[StepId]) -> Result<Vec<Inputs>, StoreError> {
        self.timed("inputs", self.store.inputs(steps)).await
    }

    async fn history(&self, task: TaskId) -> Result<Vec<Transition>, StoreError> {
        self.timed("history", self.store.history(task)).await
    }

    async fn step_history(&self, step: StepId, limit: u32) -> Result<Vec<Transition>, StoreError> {
        self.timed("step_history", self.store.step_history(step, limit)).await
    }

    async fn histories(&self, tasks: &[TaskId]) -> Result<Vec<TaskHistory>, StoreError> {
        self.timed("histories", self.store.histories(tasks)).await
    }

    async fn namespace_pause(&self, namespace: &Namespace) -> Result<Option<Pause>, StoreError> {
        self.timed("namespace_pause", self.store.namespace_pause(namespace)).await
    }

    async fn lanes(&self) -> Result<Vec<QueueDepth>, StoreError> {
        self.timed("lanes", self.store.lanes()).await
    }

    async fn task_counts(&self) -> Result<Vec<TaskCount>, StoreError> {
        self.timed("task_counts", self.store.task_counts()).await
    }

    async fn late(&self, before: Timestamp) -> Result<Vec<(Namespace, u32)>, StoreError> {
        self.timed("late", self.store.late(before)).await
    }
}

#[async_trait]
impl FeedStore for Observed {
    async fn feed(&self, after: i64, limit: u32) -> Result<FeedPage, StoreError> {
        self.timed("feed", self.store.feed(after, limit)).await
    }

    async fn feed_end(&self) -> Result<i64, StoreError> {
        self.timed("feed_end", self.store.feed_end()).await
    }

    fn wake(&self) -> &Wake {
        self.store.wake()
    }
}

#[async_trait]
impl UpkeepStore for Observed {
    async fn expired(&self, limit: u32) -> Result<Vec<Expired>, StoreError> {
        let expired = self.timed("expired", self.store.expired(limit)).await?;
        // Only whoever rescues them will settle them: a worker of this process may still be at it.
        self.hold(expired.iter().map(|lease| (lease.key, Held { plan: lease.plan, began: None })));
        Ok(expired)
    }

    async fn deadlines(&self) -> Result<Deadlines, StoreError> {
        self.timed("deadlines", self.store.deadlines()).await
    }

    async fn prune(&self, retention: Retention, limit: u32) -> Result<PruneReport, StoreError> {
        let report = self.timed("prune", self.store.prune(retention, limit)).await?;
        if report.tasks > 0 {
            self.events.emit(&Event::TaskPruned { task_count: report.tasks });
        }
        Ok(report)
    }

    async fn beat(&self, record: WorkerRecord) -> Result<(), StoreError> {
        let told = record.clone();
        self.timed("beat", self.store.beat(record)).await?;
        self.beaten(&told);
        Ok(())
    }

    async fn leave(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.timed("leave", self.store.leave(worker)).await?;
        self.left(worker);
        Ok(())
    }

    async fn workers(&self, since: Timestamp) -> Result<Vec<WorkerRecord>, StoreError> {
        self.timed("workers", self.store.workers(since)).await
    }
}

#[async_trait]
impl CursorStore for Observed {
    async fn hold_cursor(
        &self,
        name: &str,
        holder: WorkerId,
        lease: Duration,
        start: i64,
    ) -> Result<Option<Cursor>, StoreError> {
        self.timed("hold_cursor", self.store.hold_cursor(name, holder, lease, start)).await
    }

    async fn move_cursor(&self, name: &str, holder: WorkerId, position: i64) -> Result<bool, StoreError> {
        self.timed("move_cursor", self.store.move_cursor(name, holder, position)).await
    }

    async fn release_cursor(&self, name: &str, holder: WorkerId) -> Result<(), StoreError> {
        self.timed("release_cursor", self.store.release_cursor(name, holder)).await
    }

    async fn cursors(&self) -> Result<Vec<CursorRecord>, StoreError> {
        self.timed("cursors", self.store.cursors()).await
    }
}

#[async_trait]
impl LogStore for Observed {
    async fn put_logs(&self, logs: Vec<AttemptLog>) -> Result<(), StoreError> {
        self.timed("put_logs", self.store.put_logs(logs)).await
    }

    async fn logs(&self, task: TaskId, step: Option<StepId>) -> Result<Vec<AttemptLog>, StoreError> {
        self.timed("logs", self.store.logs(task, step)).await
    }
}

impl Observed {
    fn beaten(&self, record: &WorkerRecord) {
        let (worker, name) = (record.id, &*record.name);
        let known = self.workers().insert(worker, record.draining);
        if known.is_none() {
            self.events.emit(&Event::WorkerRegistered {
                worker,
                name,
                concurrency: record.concurrency,
                handler_count: u32::try_from(record.handlers.len()).unwrap_or(u32::MAX),
            });
        }
        if record.draining && known != Some(true) {
            self.events.emit(&Event::WorkerDraining { worker, name });
        }
    }

    fn left(&self, worker: WorkerId) {
        if self.workers().remove(&worker).is_some() {
            self.events.emit(&Event::WorkerStopped { worker });
        }
    }
}
