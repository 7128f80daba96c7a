//! A store that can be out of reach, and that can refuse.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tasker_core::{LeaseKey, Namespace, StepId, TaskId, TemplateKey, Timestamp, WorkerId};
use tasker_store::memory::MemoryStore;
use tasker_store::{
    AttemptLog, ClaimRequest, Command, CommandError, CommitReport, Cursor, CursorRecord, CursorStore,
    Deadlines, Done, Expired, FeedPage, FeedStore, Inputs, Lease, LogStore, NewTask, Page, Pause, PlanId,
    PruneReport, PutTemplate, QueueDepth, ReadStore, Renewed, Retention, SettleReply, SettleRequest,
    StepRecord, StoreError, StoredPlan, StoredTemplate, SubmitError, Submitted, TaskCount, TaskFilter,
    TaskRecord, TaskStore, TemplateConflict, TemplateId, TemplateStore, Transition, UpkeepStore, Verdict,
    Wake, WorkStore, WorkerRecord,
};

type Answer<T> = Result<T, StoreError>;

/// The store in memory behind a line that can be cut.
pub(crate) struct FaultyStore {
    pub(crate) inner: Arc<MemoryStore>,
    /// Whether nothing comes through.
    pub(crate) is_cut: AtomicBool,
    /// How many calls did not come through.
    pub(crate) failed: AtomicU32,
    /// So many settle calls are carried out, and their answers lost.
    pub(crate) lose_answers: AtomicU32,
    /// Whether it cannot settle, while all else goes well.
    pub(crate) refuse_settling: bool,
    /// Whether it refuses to claim.
    pub(crate) refuse_claims: AtomicBool,
    /// Whether it answers renewals as if the rows were locked: with a time that has not moved.
    pub(crate) locks_rows: AtomicBool,
    /// How often the history of a whole task was read.
    pub(crate) whole_histories: AtomicU32,
    /// How many settle calls came.
    pub(crate) settle_calls: AtomicU32,
    /// Results that the store refuses.
    pub(crate) refused: Option<Value>,
    /// Every key that was settled, and how often it came.
    pub(crate) settled: Mutex<Vec<LeaseKey>>,
    /// How often inputs were read, and for how many steps.
    pub(crate) reads: Mutex<Vec<usize>>,
}

impl FaultyStore {
    pub(crate) fn over(inner: Arc<MemoryStore>) -> Self {
        Self {
            inner,
            is_cut: AtomicBool::new(false),
            failed: AtomicU32::new(0),
            lose_answers: AtomicU32::new(0),
            refuse_settling: false,
            refuse_claims: AtomicBool::new(false),
            locks_rows: AtomicBool::new(false),
            whole_histories: AtomicU32::new(0),
            settle_calls: AtomicU32::new(0),
            refused: None,
            settled: Mutex::default(),
            reads: Mutex::default(),
        }
    }

    fn line(&self) -> Answer<()> {
        if self.is_cut.load(Ordering::SeqCst) {
            self.failed.fetch_add(1, Ordering::SeqCst);
            return Err(unavailable());
        }
        Ok(())
    }

    /// Whether any key was settled twice.
    pub(crate) fn has_settled_twice(&self) -> bool {
        let settled = self.settled.lock().expect("not poisoned");
        let distinct: HashSet<_> = settled.iter().collect();
        distinct.len() < settled.len()
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable(Arc::new(io::Error::other("the line is cut")))
}

#[async_trait]
impl WorkStore for FaultyStore {
    async fn claim(&self, request: ClaimRequest) -> Answer<Vec<Lease>> {
        self.line()?;
        self.inner.claim(request).await
    }

    async fn renew(&self, worker: WorkerId, keys: Vec<LeaseKey>, lease: Duration) -> Answer<Vec<Renewed>> {
        self.line()?;
        if self.locks_rows.load(Ordering::SeqCst) {
            return Ok(keys.iter().map(|_| Renewed::Until(Timestamp::default())).collect());
        }
        self.inner.renew(worker, keys, lease).await
    }

    async fn settle(&self, request: SettleRequest) -> Answer<SettleReply> {
        self.line()?;
        self.settle_calls.fetch_add(1, Ordering::SeqCst);
        if self.refuse_settling && !request.settlements.is_empty() {
            return Err(unavailable());
        }
        let is_refused = request.settlements.iter().any(|settlement| {
            matches!(&settlement.verdict, Verdict::Complete { results } if Some(results) == self.refused.as_ref())
        });
        let is_refused = is_refused || (request.claim.is_some() && self.refuse_claims.load(Ordering::SeqCst));
        if is_refused {
            let source = Arc::new(io::Error::other("unsupported Unicode escape sequence"));
            return Err(StoreError::Refused { action: "settle", source });
        }
        let keys: Vec<_> = request.settlements.iter().map(|settlement| settlement.key).collect();
        let reply = self.inner.settle(request).await?;
        self.settled.lock().expect("not poisoned").extend(keys);
        let lose = |left: u32| left.checked_sub(1);
        match self.lose_answers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose) {
            Ok(_) => Err(unavailable()),
            Err(_) => Ok(reply),
        }
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
        self.line()?;
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
        self.line()?;
        self.reads.lock().expect("not poisoned").push(steps.len());
        self.inner.inputs(steps).await
    }

    async fn history(&self, task: TaskId) -> Answer<Vec<Transition>> {
        self.line()?;
        self.whole_histories.fetch_add(1, Ordering::SeqCst);
        self.inner.history(task).await
    }

    async fn step_history(&self, step: StepId, limit: u32) -> Answer<Vec<Transition>> {
        self.line()?;
        self.inner.step_history(step, limit).await
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
        self.line()?;
        self.inner.deadlines().await
    }

    async fn prune(&self, retention: Retention, limit: u32) -> Answer<PruneReport> {
        self.inner.prune(retention, limit).await
    }

    async fn beat(&self, worker: WorkerRecord) -> Answer<()> {
        self.line()?;
        self.inner.beat(worker).await
    }

    async fn leave(&self, worker: WorkerId) -> Answer<()> {
        self.line()?;
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
