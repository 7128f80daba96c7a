//! Claim, renew, settle.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::Value;
use tasker_core::{Failure, LeaseKey, State, StepId, TaskEvent, TaskId, Timestamp};

use super::tables::{Tables, transition};
use crate::batch::Renewal;
use crate::feed::{Cause, Transition};
use crate::work::{ClaimRequest, Guard, Lease, Renewed, Settled, Settlement, Verdict};

/// Lanes of equal priority take turns within so many.
const TURNS: usize = 97;

impl Tables {
    /// Takes leases: by priority, then by the lane whose turn it is, then by how long a step is ready.
    pub(super) fn claim(&mut self, claim: &ClaimRequest, now: Timestamp) -> Vec<Lease> {
        let mut chosen: Vec<StepId> = Vec::new();
        for lane in self.lanes_in_turn(claim) {
            let left = claim.capacity as usize - chosen.len();
            let from = (lane, Timestamp::from_micros(i64::MIN), StepId::FIRST);
            let to = (lane, now, StepId::LAST);
            let ready = self.ready.range(from..=to).map(|(_, _, step)| *step);
            chosen.extend(ready.filter(|step| claim.task.is_none_or(|task| step.task() == task)).take(left));
        }
        let mut tasks: BTreeSet<TaskId> = chosen.iter().map(|step| step.task()).collect();
        tasks.retain(|task| self.task_mut(*task).state == State::Pending);
        for task in &tasks {
            self.move_task(*task, TaskEvent::Start, None, now);
        }
        let lease =
            |step: StepId| Lease { starts_task: tasks.remove(&step.task()), ..self.lease(step, claim, now) };
        chosen.into_iter().map(lease).collect()
    }

    fn lanes_in_turn(&self, claim: &ClaimRequest) -> Vec<usize> {
        let mut lanes: Vec<usize> = (0..self.lanes.len())
            .filter(|index| {
                let lane = &self.lanes[*index];
                claim.queues.contains(&lane.queue)
                    && claim.handlers.contains(&lane.handler)
                    && !self.paused.contains_key(&lane.namespace)
            })
            .collect();
        lanes.sort_by_key(|index| {
            let id = index + 1;
            (Reverse(self.lanes[*index].priority), (id + claim.turn as usize) % TURNS, id)
        });
        lanes
    }

    fn lease(&mut self, id: StepId, claim: &ClaimRequest, now: Timestamp) -> Lease {
        let until = now.plus(claim.lease);
        let step = self.step(id).expect("invariant: a ready step is stored");
        let attempt = step.attempts + 1;
        let retry_limit = step.retry_limit;
        let ready_at = step.ready_at.expect("invariant: a ready step has a time");
        let by = Some(claim.worker.to_string());
        if step.state == State::Error {
            let due = transition(id.task(), Some(State::Error), State::Pending, Cause::RetryDue, now);
            self.record(Transition { step: Some(id), attempt: Some(attempt), ..due });
        }
        let claimed = transition(id.task(), Some(State::Pending), State::InProgress, Cause::Claimed, now);
        self.record(Transition { step: Some(id), attempt: Some(attempt), by, ..claimed });
        self.change(id, |step| {
            step.state = State::InProgress;
            step.attempts = attempt;
            step.ready_at = None;
            step.lease = Some((claim.worker, until));
            step.started_at = Some(now);
            step.ended_at = None;
        });
        let plan = self.task_mut(id.task()).plan;
        let key = LeaseKey { step: id, attempt };
        let starts_task = false;
        Lease { key, plan, worker: claim.worker, claimed_at: now, until, retry_limit, ready_at, starts_task }
    }

    pub(super) fn renew(&mut self, renewal: &Renewal, now: Timestamp) -> Vec<Renewed> {
        let until = now.plus(renewal.lease);
        let keys = renewal.keys.iter();
        let answers = keys.map(|key| {
            if !self.holds(*key, Guard::Held { worker: renewal.worker }, now) {
                return Renewed::Lost;
            }
            self.change(key.step, |step| step.lease = Some((renewal.worker, until)));
            Renewed::Until(until)
        });
        answers.collect()
    }

    fn holds(&self, key: LeaseKey, guard: Guard, now: Timestamp) -> bool {
        self.step(key.step).is_some_and(|step| {
            step.attempts == key.attempt
                && step.lease.is_some_and(|(worker, until)| match guard {
                    Guard::Held { worker: claimed_by } => worker == claimed_by,
                    Guard::Expired => until <= now,
                })
        })
    }

    /// Records how attempts ended, then judges the tasks they belong to.
    pub(super) fn settle(
        &mut self,
        settlements: &[Settlement],
        now: Timestamp,
    ) -> (Vec<Settled>, Vec<(TaskId, State)>) {
        let mut touched = BTreeSet::new();
        let settled = settlements
            .iter()
            .map(|settlement| {
                if !self.holds(settlement.key, settlement.guard, now) {
                    return Settled::Stale;
                }
                touched.insert(settlement.key.step.task());
                self.settle_one(settlement, now)
            })
            .collect();
        let verdicts =
            touched.into_iter().filter_map(|task| self.judge(task, None, now).map(|state| (task, state)));
        let verdicts = verdicts.collect();
        (settled, verdicts)
    }

    fn settle_one(&mut self, settlement: &Settlement, now: Timestamp) -> Settled {
        let id = settlement.key.step;
        let (to, ready_at, mut cause) = self.ruling(settlement, now);
        self.change(id, |step| {
            step.state = to;
            step.ready_at = ready_at;
            step.lease = None;
            step.ended_at = Some(now);
            match &settlement.verdict {
                Verdict::Complete { results } => {
                    step.results = Some(results.clone());
                    step.failure = None;
                }
                Verdict::Retry { failure, .. } | Verdict::Fail { failure } => {
                    step.failure = Some(failure.clone());
                }
                Verdict::Snooze { .. } => step.retry_limit = step.retry_limit.saturating_add(1),
            }
        });
        if settlement.guard == Guard::Expired {
            cause = Cause::LeaseExpired;
        }
        let ended = transition(id.task(), Some(State::InProgress), to, cause, now);
        let details = failure_of(&settlement.verdict).map_or(Value::Null, failure_as_json);
        self.record(Transition { step: Some(id), attempt: Some(settlement.key.attempt), details, ..ended });
        if to == State::Complete {
            self.promote_dependents(id, now);
        }
        Settled::Recorded { state: to, ready_at }
    }

    /// The state a verdict leads to, when the step may be claimed again, and the cause to record.
    fn ruling(&self, settlement: &Settlement, now: Timestamp) -> (State, Option<Timestamp>, Cause) {
        let attempts_left =
            self.step(settlement.key.step).is_some_and(|step| step.attempts < step.retry_limit);
        match &settlement.verdict {
            Verdict::Complete { .. } => (State::Complete, None, Cause::Completed),
            Verdict::Retry { when, .. } if attempts_left => {
                (State::Error, Some(when.from(now)), Cause::Failed)
            }
            Verdict::Retry { .. } | Verdict::Fail { .. } => (State::Error, None, Cause::Failed),
            Verdict::Snooze { when } => (State::Pending, Some(when.from(now)), Cause::Snoozed),
        }
    }
}

fn failure_of(verdict: &Verdict) -> Option<&Failure> {
    match verdict {
        Verdict::Retry { failure, .. } | Verdict::Fail { failure } => Some(failure),
        Verdict::Complete { .. } | Verdict::Snooze { .. } => None,
    }
}

fn failure_as_json(failure: &Failure) -> Value {
    serde_json::to_value(failure).unwrap_or(Value::Null)
}
