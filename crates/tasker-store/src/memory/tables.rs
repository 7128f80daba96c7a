//! The tables, their indexes, and the changes that every request is made of.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use tasker_core::{
    HandlerName, Namespace, QueueName, State, StepId, TaskEvent, TaskId, TaskTemplate, TemplateKey,
    Timestamp, WorkerId,
};

use crate::cursor::CursorRecord;
use crate::feed::{Cause, Transition};
use crate::log::AttemptLog;
use crate::record::{Pause, StepRecord, TaskRecord};
use crate::template::PlanId;
use crate::worker::WorkerRecord;

/// Everything that is stored.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) templates: Vec<TemplateRow>,
    pub(super) plans: Vec<PlanRow>,
    pub(super) lanes: Vec<LaneRow>,
    pub(super) paused: BTreeMap<Namespace, Pause>,
    pub(super) tasks: BTreeMap<TaskId, TaskRow>,
    /// The tasks with an identity, and when they were made.
    pub(super) identities: HashMap<String, Vec<(Timestamp, TaskId)>>,
    pub(super) feed: Vec<Transition>,
    pub(super) next_seq: i64,
    pub(super) workers: BTreeMap<WorkerId, WorkerRecord>,
    pub(super) cursors: BTreeMap<String, CursorRecord>,
    pub(super) logs: Vec<AttemptLog>,
    /// Steps that may be claimed from a time on, by lane.
    pub(super) ready: BTreeSet<(usize, Timestamp, StepId)>,
    /// Leases by the time they run out.
    pub(super) leased: BTreeSet<(Timestamp, StepId)>,
    /// Steps that the batch at hand has made claimable, and that still are.
    pub(super) opened: BTreeSet<StepId>,
    /// Whether the batch at hand has ended the pause of a namespace, and so opened nobody knows what.
    pub(super) namespace_opened: bool,
}

pub(super) struct TemplateRow {
    pub(super) key: TemplateKey,
    pub(super) template: Arc<TaskTemplate>,
    pub(super) created_at: Timestamp,
    pub(super) current: bool,
}

pub(super) struct PlanRow {
    pub(super) template: usize,
    pub(super) priority: i32,
    /// The lane of each step.
    pub(super) lanes: Vec<usize>,
}

/// One namespace, queue, handler and priority: what is claimed together, in the order it became ready.
#[derive(PartialEq, Eq)]
pub(super) struct LaneRow {
    pub(super) namespace: Namespace,
    pub(super) queue: QueueName,
    pub(super) handler: HandlerName,
    pub(super) priority: i32,
}

pub(super) struct TaskRow {
    pub(super) task: TaskRecord,
    pub(super) steps: Vec<StepRecord>,
}

impl Tables {
    pub(super) fn plan(&self, id: PlanId) -> Option<&PlanRow> {
        self.plans.get(index(id.0)?)
    }

    pub(super) fn template_of(&self, plan: PlanId) -> Arc<TaskTemplate> {
        let plan = self.plan(plan).expect("invariant: a task's plan is stored");
        Arc::clone(&self.templates[plan.template].template)
    }

    pub(super) fn step(&self, id: StepId) -> Option<&StepRecord> {
        self.tasks.get(&id.task())?.steps.get(id.ordinal() as usize)
    }

    /// The lane of a step that is stored.
    pub(super) fn lane_of(&self, id: StepId) -> usize {
        let row = self.tasks.get(&id.task()).expect("invariant: the task of a stored step is stored");
        let plan = self.plan(row.task.plan).expect("invariant: a task's plan is stored");
        plan.lanes[id.ordinal() as usize]
    }

    pub(super) fn task_mut(&mut self, id: TaskId) -> &mut TaskRecord {
        &mut self.tasks.get_mut(&id).expect("invariant: the task of a stored step is stored").task
    }

    /// Changes a step, and keeps the indexes and the task's `active` count true.
    pub(super) fn change(&mut self, id: StepId, change: impl FnOnce(&mut StepRecord)) {
        let lane = self.lane_of(id);
        let row = self.tasks.get_mut(&id.task()).expect("invariant: the task of a stored step is stored");
        let step = &mut row.steps[id.ordinal() as usize];
        let before = Indexed::of(step);
        change(step);
        let after = Indexed::of(step);
        row.task.active = row.task.active - u32::from(before.active) + u32::from(after.active);
        row.task.unfinished =
            row.task.unfinished - u32::from(before.unfinished) + u32::from(after.unfinished);
        if let Some(time) = before.claimable_from {
            self.ready.remove(&(lane, time, id));
        }
        if let Some(time) = after.claimable_from {
            self.ready.insert((lane, time, id));
            if before.claimable_from.is_none_or(|earlier| time < earlier) {
                self.opened.insert(id);
            }
        } else {
            self.opened.remove(&id);
        }
        if let Some(until) = before.leased_until {
            self.leased.remove(&(until, id));
        }
        if let Some(until) = after.leased_until {
            self.leased.insert((until, id));
        }
    }

    /// A step was satisfied: those that depend on it have one unmet dependency less.
    pub(super) fn promote_dependents(&mut self, id: StepId, now: Timestamp) {
        let plan = self.task_mut(id.task()).plan;
        let template = self.template_of(plan);
        for child in template.graph().children(id.ordinal()) {
            self.change(id.task().step(*child), |step| {
                step.unmet -= 1;
                if step.unmet == 0 && step.state == State::Pending {
                    step.ready_at = Some(now);
                }
            });
        }
    }

    /// Gives a task the state that its counts call for.
    pub(super) fn judge(&mut self, id: TaskId, by: Option<&str>, now: Timestamp) -> Option<State> {
        let task = self.task_mut(id);
        let (state, unfinished, active) = (task.state, task.unfinished, task.active);
        if state.is_ended() {
            return None;
        }
        if unfinished == 0 {
            if state == State::Error {
                self.move_task(id, TaskEvent::Retry, by, now);
            }
            if state != State::InProgress {
                self.move_task(id, TaskEvent::Start, by, now);
            }
            self.move_task(id, TaskEvent::Complete, by, now);
            return Some(State::Complete);
        }
        match (active, state) {
            (0, State::Pending | State::InProgress) => {
                self.move_task(id, TaskEvent::Block, by, now);
                Some(State::Error)
            }
            (1.., State::Error) => {
                self.move_task(id, TaskEvent::Retry, by, now);
                None
            }
            _ => None,
        }
    }

    /// Changes the state of a task and records it.
    pub(super) fn move_task(&mut self, id: TaskId, event: TaskEvent, by: Option<&str>, now: Timestamp) {
        let task = self.task_mut(id);
        let from = task.state;
        task.state = from.task_after(event).expect("invariant: the event was checked");
        match task.state {
            State::Pending => task.ended_at = None,
            State::InProgress => task.started_at = task.started_at.or(Some(now)),
            State::Complete | State::Error | State::Cancelled | State::ResolvedManually => {
                task.ended_at = Some(now);
            }
        }
        let cause = match event {
            TaskEvent::Start => Cause::Started,
            TaskEvent::Complete => Cause::Completed,
            TaskEvent::Block => Cause::Blocked,
            TaskEvent::Retry => Cause::RetryRequested,
            TaskEvent::Cancel => Cause::Cancelled,
            TaskEvent::Resolve => Cause::Resolved,
        };
        let moved = transition(id, Some(from), task.state, cause, now);
        self.record(Transition { by: by.map(str::to_owned), ..moved });
    }

    /// Appends to the feed.
    pub(super) fn record(&mut self, mut transition: Transition) {
        self.next_seq += 1;
        transition.seq = self.next_seq;
        self.feed.push(transition);
    }
}

/// A transition of a task, to be completed by the caller.
pub(super) fn transition(
    task: TaskId,
    from: Option<State>,
    to: State,
    cause: Cause,
    at: Timestamp,
) -> Transition {
    Transition {
        seq: 0,
        task,
        step: None,
        attempt: None,
        from,
        to,
        cause,
        at,
        by: None,
        details: Value::Null,
    }
}

/// What the indexes and the counts of its task know of a step.
struct Indexed {
    /// Whether it has not ended.
    unfinished: bool,
    /// Whether it can still go on by itself.
    active: bool,
    /// From when it may be claimed, as far as it alone is concerned.
    claimable_from: Option<Timestamp>,
    leased_until: Option<Timestamp>,
}

impl Indexed {
    fn of(step: &StepRecord) -> Self {
        Self {
            unfinished: !step.state.is_ended(),
            active: step.state == State::InProgress || step.ready_at.is_some(),
            claimable_from: if step.held { None } else { step.ready_at },
            leased_until: step.lease.map(|(_, until)| until),
        }
    }
}

/// Where the row with a number stands; numbers count from 1.
pub(super) fn index(number: i64) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}
