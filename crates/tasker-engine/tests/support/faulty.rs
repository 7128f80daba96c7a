//! The store in memory, with faults in what the agents read.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{LeaseKey, Namespace, StepId, TaskId, TemplateKey, Timestamp, WorkerId};
use tasker_store::{
    AttemptLog, ClaimRequest, Command, CommandError, CommitReport, Cursor, CursorRecord, CursorStore,
    Deadlines, Done, Expired, FeedPage, FeedStore, Inconsistency, Inputs, Lease, LogStore, NewTask, Page,
    Pause, PlanId, PruneReport, PutTemplate, QueueDepth, ReadStore, Renewed, Retention, SettleReply,
    SettleRequest, StepRecord, Store, StoreError, StoredPlan, StoredTemplate, SubmitError, Submitted,
    TaskCount, TaskFilter, TaskRecord, TaskStore, TemplateConflict, TemplateId, TemplateStore, Transition,
    UpkeepStore, Wake, WorkStore, WorkerRecord,
};

type Answer<T> = Result<T, StoreError>;

/// What becomes of a look at the deadlines.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Panics,
    IsUnavailable,
    IsSlow,
}

/// A store whose looks at the deadlines fail as told, and are counted.
pub(crate) struct FaultyStore {
    inner: Arc<dyn Store>,
    /// What becomes of the next looks.
    pub(crate) faults: Mutex<VecDeque<Fault>>,
    /// How many looks there were.
    pub(crate) looks: AtomicU32,
    /// How many prunings there were.
    pub(crate) prunings: AtomicU32,
    /// Whether plans cannot be read.
    pub(crate) has_odd_plans: AtomicBool,
}

impl FaultyStore {
    pub(crate) fn over(inner: &Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner),
            faults: Mutex::default(),
            looks: AtomicU32::new(0),
            prunings: AtomicU32::new(0),
            has_odd_plans: AtomicBool::new(false),
        })
    }

    async fn line(&self) -> Answer<()> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let fault = self.faults.lock().expect("not poisoned").pop_front();
        match fault {
            None => Ok(()),
            Some(Fault::IsUnavailable) => {
                Err(StoreError::Unavailable(Arc::new(io::Error::other("the line is cut"))))
            }
            Some(Fault::IsSlow) => {
                // sleep: the time is paused where this is used
                tokio::time::sleep(Duration::from_secs(2)).await;
                Ok(())
            }
            Some(Fault::Panics) => panic!("the double falls over"),
        }
    }
}

#[async_trait]
impl WorkStore for FaultyStore {
    async fn claim(&self, request: ClaimRequest) -> Answer<Vec<Lease>> {
        self.inner.claim(request).await
    }

    async fn renew(&self, worker: WorkerId, keys: Vec<LeaseKey>, lease: Duration) -> Answer<Vec<Renewed>> {
        self.inner.renew(worker, keys, lease).await
    }

    async fn settle(&self, request: SettleRequest) -> Answer<SettleReply> {
        self.inner.settle(request).await
    }

    fn commit_report(&self) -> CommitReport {
        self.inner.commit_report()
    }
}

#[async_trait]
impl TaskStore for FaultyStore {
    async fn submit(&self, tasks: Vec<NewTask>) -> Answer<Result<Vec<Submitted>, SubmitError>> {
        self.inner.submit(tasks).await
    }

    async fn command(&self, command: Command) -> Answer<Result<Done, CommandError>> {
        self.inner.command(command).await
    }
}

#[async_trait]
impl TemplateStore for FaultyStore {
    async fn put_template(&self, put: PutTemplate) -> Answer<Result<TemplateId, TemplateConflict>> {
        self.inner.put_template(put).await
    }

    async fn plan(&self, template: TemplateId, priority: i32) -> Answer<Option<PlanId>> {
        self.inner.plan(template, priority).await
    }

    async fn read_plan(&self, plan: PlanId) -> Answer<Option<Arc<StoredPlan>>> {
        if self.has_odd_plans.load(Ordering::SeqCst) {
            let (key, reason) = (plan.0.to_string(), "from the future".to_owned());
            return Err(Inconsistency { table: "templates", column: "definition", key, reason }.into());
        }
        self.inner.read_plan(plan).await
    }

    async fn template(&self, key: &TemplateKey) -> Answer<Option<StoredTemplate>> {
        self.inner.template(key).await
    }

    async fn template_keys(&self) -> Answer<Vec<TemplateKey>> {
        self.inner.template_keys().await
    }
}

#[async_trait]
impl ReadStore for FaultyStore {
    async fn task(&self, id: TaskId) -> Answer<Option<TaskRecord>> {
        self.inner.task(id).await
    }

    async fn steps(&self, task: TaskId) -> Answer<Vec<StepRecord>> {
        self.inner.steps(task).await
    }

    async fn tasks(&self, filter: &TaskFilter, page: Page) -> Answer<Vec<TaskRecord>> {
        self.inner.tasks(filter, page).await
    }

    async fn inputs(&self, steps: &[StepId]) -> Answer<Vec<Inputs>> {
        self.inner.inputs(steps).await
    }

    async fn history(&self, task: TaskId) -> Answer<Vec<Transition>> {
        self.inner.history(task).await
    }

    async fn namespace_pause(&self, namespace: &Namespace) -> Answer<Option<Pause>> {
        self.inner.namespace_pause(namespace).await
    }

    async fn lanes(&self) -> Answer<Vec<QueueDepth>> {
        self.inner.lanes().await
    }

    async fn task_counts(&self) -> Answer<Vec<TaskCount>> {
        self.inner.task_counts().await
    }

    async fn late(&self, before: Timestamp) -> Answer<Vec<(Namespace, u32)>> {
        self.inner.late(before).await
    }
}

#[async_trait]
impl FeedStore for FaultyStore {
    async fn feed(&self, after: i64, limit: u32) -> Answer<FeedPage> {
        self.inner.feed(after, limit).await
    }

    async fn feed_end(&self) -> Answer<i64> {
        self.inner.feed_end().await
    }

    fn wake(&self) -> &Wake {
        self.inner.wake()
    }
}

#[async_trait]
impl UpkeepStore for FaultyStore {
    async fn expired(&self, limit: u32) -> Answer<Vec<Expired>> {
        self.inner.expired(limit).await
    }

    async fn deadlines(&self) -> Answer<Deadlines> {
        self.line().await?;
        self.inner.deadlines().await
    }

    async fn prune(&self, retention: Retention, limit: u32) -> Answer<PruneReport> {
        self.prunings.fetch_add(1, Ordering::SeqCst);
        self.inner.prune(retention, limit).await
    }

    async fn beat(&self, worker: WorkerRecord) -> Answer<()> {
        self.inner.beat(worker).await
    }

    async fn leave(&self, worker: WorkerId) -> Answer<()> {
        self.inner.leave(worker).await
    }

    async fn workers(&self, since: Timestamp) -> Answer<Vec<WorkerRecord>> {
        self.inner.workers(since).await
    }
}

#[async_trait]
impl CursorStore for FaultyStore {
    async fn hold_cursor(
        &self,
        name: &str,
        holder: WorkerId,
        lease: Duration,
        start: i64,
    ) -> Answer<Option<Cursor>> {
        self.inner.hold_cursor(name, holder, lease, start).await
    }

    async fn move_cursor(&self, name: &str, holder: WorkerId, position: i64) -> Answer<bool> {
        self.inner.move_cursor(name, holder, position).await
    }

    async fn release_cursor(&self, name: &str, holder: WorkerId) -> Answer<()> {
        self.inner.release_cursor(name, holder).await
    }

    async fn cursors(&self) -> Answer<Vec<CursorRecord>> {
        self.inner.cursors().await
    }
}

#[async_trait]
impl LogStore for FaultyStore {
    async fn put_logs(&self, logs: Vec<AttemptLog>) -> Answer<()> {
        self.inner.put_logs(logs).await
    }

    async fn logs(&self, task: TaskId, step: Option<StepId>) -> Answer<Vec<AttemptLog>> {
        self.inner.logs(task, step).await
    }
}
