//! The contract, in narrow traits.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasker_core::{LeaseKey, Namespace, StepId, TaskId, TemplateKey, Timestamp, WorkerId};

use crate::command::{Command, CommandError, Done};
use crate::commits::CommitReport;
use crate::cursor::{Cursor, CursorRecord};
use crate::error::StoreError;
use crate::feed::{FeedPage, Transition};
use crate::log::AttemptLog;
use crate::record::{
    Inputs, Page, Pause, PruneReport, QueueDepth, Retention, StepRecord, TaskCount, TaskFilter, TaskHistory,
    TaskRecord,
};
use crate::submit::{NewTask, SubmitError, Submitted};
use crate::template::{PlanId, PutTemplate, StoredPlan, StoredTemplate, TemplateConflict, TemplateId};
use crate::wake::Wake;
use crate::work::{ClaimRequest, Expired, Lease, Renewed, SettleReply, SettleRequest};
use crate::worker::WorkerRecord;

/// What workers ask of the store.
///
/// # Cancel safety
///
/// Dropping a future after it was polled does not take the request back: it may be committed, and
/// leases claimed by it then run out by themselves.
#[async_trait]
pub trait WorkStore: Send + Sync {
    /// Takes leases on steps that are ready.
    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Lease>, StoreError>;

    /// Makes leases hold for `lease` from now on, be that longer or shorter than before. Answers in the
    /// order of `keys`.
    ///
    /// A lease whose time has run out is renewed all the same, as long as nobody settled it.
    async fn renew(
        &self,
        worker: WorkerId,
        keys: Vec<LeaseKey>,
        lease: Duration,
    ) -> Result<Vec<Renewed>, StoreError>;

    /// Records how attempts ended, and claims new ones in the same commit.
    async fn settle(&self, request: SettleRequest) -> Result<SettleReply, StoreError>;

    /// How many commits this process has made, where the store counts them.
    fn commits(&self) -> u64 {
        self.commit_report().commits
    }

    /// What this process has committed: how often, how much and how fast. Zeros where the store does not count.
    fn commit_report(&self) -> CommitReport {
        CommitReport::default()
    }
}

/// What makes tasks and changes them.
#[async_trait]
pub trait TaskStore: Send + Sync {
    /// Makes tasks: all of them, or none. Answers in their order.
    ///
    /// They are looked at one after another: whether the plan is stored, whether the id is free, whether an
    /// equal task exists, be it one before it in the same submission. The first fault is the answer.
    async fn submit(&self, tasks: Vec<NewTask>) -> Result<Result<Vec<Submitted>, SubmitError>, StoreError>;

    /// Carries out a command. See [`Command`] for what each changes.
    async fn command(&self, command: Command) -> Result<Result<Done, CommandError>, StoreError>;
}

/// What keeps templates.
#[async_trait]
pub trait TemplateStore: Send + Sync {
    /// Stores a template. The same content, by its digest, under the same key is stored once: content that
    /// was replaced and comes back by [`WhenTaken::Replace`](crate::WhenTaken) has its old number and time.
    async fn put_template(
        &self,
        put: PutTemplate,
    ) -> Result<Result<TemplateId, TemplateConflict>, StoreError>;

    /// The plan of a template for tasks of one priority, made if it is not there; `None` if the template is
    /// not there. A template that was replaced still has plans.
    async fn plan(&self, template: TemplateId, priority: i32) -> Result<Option<PlanId>, StoreError>;

    /// A plan with its template.
    async fn read_plan(&self, plan: PlanId) -> Result<Option<Arc<StoredPlan>>, StoreError>;

    /// The current template under a key.
    async fn template(&self, key: &TemplateKey) -> Result<Option<StoredTemplate>, StoreError>;

    /// The keys of all current templates, in their own order: versions by precedence, not as text.
    async fn template_keys(&self) -> Result<Vec<TemplateKey>, StoreError>;
}

/// What answers questions.
#[async_trait]
pub trait ReadStore: Send + Sync {
    /// A task.
    async fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError>;

    /// The steps of a task, by ordinal; none if there is no such task.
    async fn steps(&self, task: TaskId) -> Result<Vec<StepRecord>, StoreError>;

    /// A list of tasks.
    async fn tasks(&self, filter: &TaskFilter, page: Page) -> Result<Vec<TaskRecord>, StoreError>;

    /// What the handlers of these steps get to work with, in the order asked. Steps that do not exist are
    /// left out.
    async fn inputs(&self, steps: &[StepId]) -> Result<Vec<Inputs>, StoreError>;

    /// The transitions of a task, in order; none if there is no such task.
    async fn history(&self, task: TaskId) -> Result<Vec<Transition>, StoreError>;

    /// The latest transitions of a step, at most `limit`, in order; none if there is no such step.
    ///
    /// A database has to say it for itself, so that of the other steps of the task nothing leaves it.
    async fn step_history(&self, step: StepId, limit: u32) -> Result<Vec<Transition>, StoreError> {
        let mut history = self.history(step.task()).await?;
        history.retain(|transition| transition.step == Some(step));
        Ok(history.split_off(history.len().saturating_sub(limit as usize)))
    }

    /// Several tasks, each with its transitions, in the order asked. Those that do not exist are left out, and one that is
    /// asked for twice is told once. A transition may be of later than its task was read.
    ///
    /// A database has to say it for itself, so that it is asked as often for many tasks as for one.
    async fn histories(&self, tasks: &[TaskId]) -> Result<Vec<TaskHistory>, StoreError> {
        let mut found = Vec::with_capacity(tasks.len());
        for id in tasks {
            if let Some(task) = self.task(*id).await? {
                let transitions = self.history(*id).await?;
                found.push(TaskHistory { task: task.into(), transitions });
            }
        }
        Ok(TaskHistory::in_order(tasks, found))
    }

    /// Who paused a namespace, if it is paused.
    async fn namespace_pause(&self, namespace: &Namespace) -> Result<Option<Pause>, StoreError>;

    /// Every lane, by number, with how much waits in it, how much is at work, and since when.
    ///
    /// It may be asked often: what it costs grows with what is at work, and not with what waits beyond
    /// [`QueueDepth::COUNTED`] or has ended.
    async fn lanes(&self) -> Result<Vec<QueueDepth>, StoreError>;

    /// How many tasks are in each state, in the order of [`State::ALL`](tasker_core::State::ALL).
    ///
    /// It may be asked often: each is counted to [`TaskCount::COUNTED`], and of what is beyond
    /// [`TaskCount::LOOKED_AT`] a store may know nothing.
    async fn task_counts(&self) -> Result<Vec<TaskCount>, StoreError>;

    /// How many tasks were asked for before `before`, by the time in their ids, and have not been begun by anybody.
    /// Those that are paused, or whose namespace is, are left out. By namespace, in their own order; none has 0.
    ///
    /// It may be asked often: the oldest are counted, [`Late::COUNTED`](crate::Late::COUNTED) in all at most, and no
    /// more than [`Late::LOOKED_AT`](crate::Late::LOOKED_AT) are looked at.
    async fn late(&self, before: Timestamp) -> Result<Vec<(Namespace, u32)>, StoreError>;
}

/// What tells others that something happened.
#[async_trait]
pub trait FeedStore: Send + Sync {
    /// The transitions after `after`, in order, at most `limit`. 0 is before all of them.
    ///
    /// Only of tasks that are there: those of pruned ones are gone, and their numbers are not used again.
    async fn feed(&self, after: i64, limit: u32) -> Result<FeedPage, StoreError>;

    /// The end of the feed: reading after it gives only what is not yet there.
    async fn feed_end(&self) -> Result<i64, StoreError>;

    /// Hints that something was committed, here or elsewhere. A hint may be lost: poll as well, rarely.
    fn wake(&self) -> &Wake;
}

/// What the agents need.
#[async_trait]
pub trait UpkeepStore: Send + Sync {
    /// Leases whose time has run out (`until` is not after the present), by `until`, then by step; at most
    /// `limit`.
    async fn expired(&self, limit: u32) -> Result<Vec<Expired>, StoreError>;

    /// The present by the store's clock; the earliest future time at which a step becomes ready; the
    /// earliest time at which a lease runs out.
    async fn deadlines(&self) -> Result<Deadlines, StoreError>;

    /// Removes tasks that ended at least as long ago as they are to be kept, at most `limit`; which of them
    /// go first is not promised. With them go their steps, their transitions and their identities.
    async fn prune(&self, retention: Retention, limit: u32) -> Result<PruneReport, StoreError>;

    /// Says that a worker is there, now by the store's clock, whatever `seen_at` says. The first word of a
    /// worker registers it, each later one takes the place of the one before.
    ///
    /// With it, workers that were not seen for [`WorkerRecord::FORGOTTEN_AFTER`] are taken off the list, at most
    /// [`WorkerRecord::FORGOTTEN_AT_ONCE`]: each beat adds one at most, so that the list holds no more than were
    /// there within that time.
    async fn beat(&self, worker: WorkerRecord) -> Result<(), StoreError>;

    /// Says that a worker is gone. Its leases hold as long as they would have.
    async fn leave(&self, worker: WorkerId) -> Result<(), StoreError>;

    /// The workers seen at or after `since`, by id.
    async fn workers(&self, since: Timestamp) -> Result<Vec<WorkerRecord>, StoreError>;
}

/// What keeps the places of those who follow the feed, so that a follower goes on where it was after any interruption.
///
/// A place belongs to a name, and one at a time holds it. Only the holder moves it: whoever was taken for dead and
/// comes back finds that it no longer can.
#[async_trait]
pub trait CursorStore: Send + Sync {
    /// Takes the place called `name` for `lease` from now on, or goes on holding it: `None` if another holds it, whose
    /// time has not run out. A name that is not known begins at `start`.
    async fn hold_cursor(
        &self,
        name: &str,
        holder: WorkerId,
        lease: Duration,
        start: i64,
    ) -> Result<Option<Cursor>, StoreError>;

    /// Says that everything up to `position` was taken. False, and nothing is changed, if the holder is another by
    /// now, or there is no such place. A place does not go back: a lower position is answered with true and ignored.
    async fn move_cursor(&self, name: &str, holder: WorkerId, position: i64) -> Result<bool, StoreError>;

    /// Gives up a place, so that another need not wait; nothing happens if another holds it. It keeps its position.
    async fn release_cursor(&self, name: &str, holder: WorkerId) -> Result<(), StoreError>;

    /// All places, by name.
    async fn cursors(&self) -> Result<Vec<CursorRecord>, StoreError>;
}

/// What keeps the lines that attempts logged. They go with their task.
#[async_trait]
pub trait LogStore: Send + Sync {
    /// Keeps lines, in this order after those that are there. Lines of tasks that do not exist are dropped.
    async fn put_logs(&self, logs: Vec<AttemptLog>) -> Result<(), StoreError>;

    /// The lines of a task's attempts, or of one step's, one for each attempt, by step and
    /// attempt, the lines in the order in which they were kept.
    async fn logs(&self, task: TaskId, step: Option<StepId>) -> Result<Vec<AttemptLog>, StoreError>;
}

/// What the agents wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// The present by the store's clock.
    pub now: Timestamp,
    /// When the next step becomes ready that is not ready yet: the earliest `ready_at` after `now` of a step
    /// that is not held, whether or not its namespace is paused.
    pub next_ready_at: Option<Timestamp>,
    /// When the next lease runs out, or ran out if nobody settled it since.
    pub next_expiry: Option<Timestamp>,
}

/// Everything that a store promises.
pub trait Store:
    WorkStore + TaskStore + TemplateStore + ReadStore + FeedStore + UpkeepStore + CursorStore + LogStore
{
}

impl<T> Store for T where
    T: WorkStore + TaskStore + TemplateStore + ReadStore + FeedStore + UpkeepStore + CursorStore + LogStore
{
}
