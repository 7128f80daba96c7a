//! Submit: what stands in the way is asked first, then all that may be made is made.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use tasker_core::{OnDuplicate, TaskId, Timestamp};
use tasker_store::{Identity, NewTask, SubmitError, Submitted};

use super::round::Round;
use super::slots::{Rows, task_hex};
use crate::failure::Failure;
use crate::record::Record;
use crate::sql::Part;

/// What the database has against a new task.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Obstacle {
    is_planless: bool,
    is_taken: bool,
    equal: Option<Equal>,
}

/// A task with the same identity, and since when it has it: the newest within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Equal {
    since: Timestamp,
    id: TaskId,
}

/// The tasks that a batch makes, as far as it has been decided.
struct Made<'t> {
    now: Timestamp,
    tasks: Vec<&'t NewTask>,
    ids: HashSet<TaskId>,
    equals: HashMap<&'t str, Vec<Equal>>,
}

impl Round<'_> {
    /// Makes each submission as a whole, or refuses it as a whole.
    pub(super) async fn submit(&mut self, submissions: &[Vec<NewTask>]) -> Result<(), Failure> {
        if submissions.is_empty() {
            return Ok(());
        }
        let obstacles = self.obstacles(submissions).await?;
        let mut obstacles = obstacles.into_iter();
        let mut made = Made::at(self.now);
        for tasks in submissions {
            let obstacles: Vec<Obstacle> = obstacles.by_ref().take(tasks.len()).collect();
            self.reply.submissions.push(made.decide(tasks, &obstacles));
        }
        self.insert(&made.tasks).await
    }

    /// For each task, what the database has against it.
    async fn obstacles(&mut self, submissions: &[Vec<NewTask>]) -> Result<Vec<Obstacle>, Failure> {
        let mut rows = Rows::default();
        for task in submissions.iter().flatten() {
            let identity = task.identity.as_ref();
            let since = identity.map(|identity| since(identity, self.now).as_micros());
            let hash = identity.map(|identity| &identity.hash);
            rows.push(&(task_hex(task.id), task.plan.0, hash, since));
        }
        self.obstacles = vec![Obstacle::default(); rows.count()];
        self.put(Part::Check).await?;
        self.slots.asked = Some(rows.into_text());
        self.send().await?;
        Ok(std::mem::take(&mut self.obstacles))
    }

    /// Takes in what the database has against one task.
    pub(super) fn take_obstacle(&mut self, row: &SqliteRow) -> Result<(), Failure> {
        let row = Record::new(row, "tasks");
        let equal = match row.task_id_if_any("id")? {
            Some(id) => Some(Equal { since: row.time("identity_since")?, id }),
            None => None,
        };
        let (is_planless, is_taken) = (row.flag("is_planless")?, row.flag("is_taken")?);
        if let Some(obstacle) = self.obstacles.get_mut(row.count("obstacle")? as usize) {
            *obstacle = Obstacle { is_planless, is_taken, equal };
        }
        Ok(())
    }

    /// Makes tasks. Those with much to store go in several scripts of the one transaction.
    async fn insert(&mut self, tasks: &[&NewTask]) -> Result<(), Failure> {
        let mut rows = Rows::default();
        for (place, task) in tasks.iter().enumerate() {
            rows.push(&row_of(task));
            if rows.is_full() || place + 1 == tasks.len() {
                self.put(Part::Insert).await?;
                self.slots.task_count = i64::try_from(rows.count()).unwrap_or(i64::MAX);
                self.slots.tasks = Some(std::mem::take(&mut rows).into_text());
            }
        }
        Ok(())
    }
}

impl<'t> Made<'t> {
    /// Nothing yet.
    fn at(now: Timestamp) -> Self {
        Self { now, tasks: Vec::new(), ids: HashSet::new(), equals: HashMap::new() }
    }

    fn decide(
        &mut self,
        tasks: &'t [NewTask],
        obstacles: &[Obstacle],
    ) -> Result<Vec<Submitted>, SubmitError> {
        let before = self.tasks.len();
        let decide = |(index, (task, obstacle))| self.decide_one(index, task, obstacle);
        let submitted: Result<_, _> = tasks.iter().zip(obstacles).enumerate().map(decide).collect();
        if submitted.is_err() {
            self.take_back(before);
        }
        submitted
    }

    fn decide_one(
        &mut self,
        index: usize,
        task: &'t NewTask,
        obstacle: &Obstacle,
    ) -> Result<Submitted, SubmitError> {
        if obstacle.is_planless {
            return Err(SubmitError::UnknownPlan { index });
        }
        if obstacle.is_taken || self.ids.contains(&task.id) {
            return Err(SubmitError::IdTaken { index, id: task.id });
        }
        if let Some(identity) = &task.identity {
            let equal = obstacle.equal.max(self.equal(identity));
            match (equal, identity.on_duplicate) {
                (Some(equal), OnDuplicate::ReturnExisting) => return Ok(Submitted::Existing(equal.id)),
                (Some(Equal { id: existing, .. }), OnDuplicate::Refuse) => {
                    return Err(SubmitError::Duplicate { index, existing });
                }
                (None, _) => {}
            }
            let equal = Equal { since: self.now, id: task.id };
            self.equals.entry(&identity.hash).or_default().push(equal);
        }
        self.ids.insert(task.id);
        self.tasks.push(task);
        Ok(Submitted::Created(task.id))
    }

    /// The newest within the window of those that this batch makes.
    fn equal(&self, identity: &Identity) -> Option<Equal> {
        let since = since(identity, self.now);
        let equals = self.equals.get(identity.hash.as_str())?;
        equals.iter().copied().filter(|equal| equal.since > since).max()
    }

    /// Makes nothing of what was decided after the first `count` tasks.
    fn take_back(&mut self, count: usize) {
        for task in self.tasks.drain(count..) {
            self.ids.remove(&task.id);
            let equals =
                task.identity.as_ref().and_then(|identity| self.equals.get_mut(identity.hash.as_str()));
            if let Some(equals) = equals {
                equals.retain(|equal| equal.id != task.id);
            }
        }
    }
}

/// An equal task that was made after this time counts as a duplicate.
fn since(identity: &Identity, now: Timestamp) -> Timestamp {
    match identity.window {
        Some(window) => now.minus(window),
        None => Timestamp::from_micros(i64::MIN),
    }
}

/// A task as `queries/tasks/insert.sql` reads it.
fn row_of(task: &NewTask) -> impl Serialize {
    let hash = task.identity.as_ref().map(|identity| identity.hash.as_str());
    let (tags, bypass_steps) = (as_json(&task.tags), as_json(&task.bypass_steps));
    let requested_at = task.requested_at.as_micros();
    let context = task.context.to_string();
    let (initiator, source_system) = (task.initiator.as_str(), task.source_system.as_str());
    (
        task_hex(task.id),
        task.plan.0,
        requested_at,
        hash,
        initiator,
        source_system,
        &task.reason,
        tags,
        bypass_steps,
        context,
        task.origin.correlation_id.as_deref(),
        task.origin.traceparent.as_deref(),
    )
}

fn as_json(texts: &[String]) -> String {
    serde_json::to_string(texts).expect("invariant: texts are JSON")
}
