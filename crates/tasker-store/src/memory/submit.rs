//! Making tasks.

use std::collections::hash_map::Entry;

use tasker_core::{OnDuplicate, State, TaskId, Timestamp};

use super::tables::{Tables, TaskRow, transition};
use crate::feed::Cause;
use crate::record::{StepRecord, TaskRecord};
use crate::submit::{Identity, NewTask, SubmitError, Submitted};

impl Tables {
    /// Makes all of `tasks`, or none.
    pub(super) fn submit(
        &mut self,
        tasks: &[NewTask],
        now: Timestamp,
    ) -> Result<Vec<Submitted>, SubmitError> {
        let mut made = Vec::new();
        let mut submitted = Vec::with_capacity(tasks.len());
        for (index, task) in tasks.iter().enumerate() {
            match self.submit_one(index, task, now) {
                Ok(Submitted::Created(id)) => {
                    made.push(id);
                    submitted.push(Submitted::Created(id));
                }
                Ok(Submitted::Existing(id)) => submitted.push(Submitted::Existing(id)),
                Err(error) => {
                    for id in &made {
                        self.forget(*id);
                    }
                    return Err(error);
                }
            }
        }
        for id in &made {
            self.record(transition(*id, None, State::Pending, Cause::Submitted, now));
        }
        Ok(submitted)
    }

    fn submit_one(&mut self, index: usize, task: &NewTask, now: Timestamp) -> Result<Submitted, SubmitError> {
        if self.plan(task.plan).is_none() {
            return Err(SubmitError::UnknownPlan { index });
        }
        if self.tasks.contains_key(&task.id) {
            return Err(SubmitError::IdTaken { index, id: task.id });
        }
        if let Some(identity) = &task.identity {
            if let Some(existing) = self.duplicate(identity, now) {
                return match identity.on_duplicate {
                    OnDuplicate::ReturnExisting => Ok(Submitted::Existing(existing)),
                    OnDuplicate::Refuse => Err(SubmitError::Duplicate { index, existing }),
                };
            }
            self.identities.entry(identity.hash.clone()).or_default().push((now, task.id));
        }
        self.insert(task, now);
        Ok(Submitted::Created(task.id))
    }

    /// The newest task with this identity whose window reaches the present.
    fn duplicate(&self, identity: &Identity, now: Timestamp) -> Option<TaskId> {
        let equals = self.identities.get(&identity.hash)?.iter();
        let in_window =
            equals.filter(|(made_at, _)| identity.window.is_none_or(|window| made_at.plus(window) > now));
        in_window.max().map(|(_, id)| *id)
    }

    fn insert(&mut self, new: &NewTask, now: Timestamp) {
        let template = self.template_of(new.plan);
        let graph = template.graph();
        let count = u32::try_from(template.steps.len()).expect("invariant: a template has a limit of steps");
        let task = TaskRecord {
            id: new.id,
            plan: new.plan,
            state: State::Pending,
            unfinished: count,
            active: 0,
            context: new.context.clone(),
            initiator: new.initiator.clone(),
            source_system: new.source_system.clone(),
            reason: new.reason.clone(),
            tags: new.tags.clone(),
            bypass_steps: new.bypass_steps.clone(),
            identity_hash: new.identity.as_ref().map(|identity| identity.hash.clone()),
            origin: new.origin.clone(),
            requested_at: new.requested_at,
            started_at: None,
            ended_at: None,
            paused: None,
        };
        let steps = template.steps.iter().zip(0u32..).map(|(step, ordinal)| {
            let parents = u32::try_from(graph.parents(ordinal).len()).unwrap_or(u32::MAX);
            pending_step(new.id, ordinal, parents, step.retry.max_attempts())
        });
        self.tasks.insert(new.id, TaskRow { task, steps: steps.collect() });
        for root in graph.roots() {
            self.change(new.id.step(root), |step| step.ready_at = Some(now));
        }
    }

    /// Removes a task with its steps and its identity; the feed is left as it is.
    pub(super) fn forget(&mut self, id: TaskId) {
        let Some(row) = self.tasks.remove(&id) else { return };
        self.logs.retain(|log| log.key.step.task() != id);
        self.ready.retain(|(_, _, step)| step.task() != id);
        self.opened.retain(|step| step.task() != id);
        let Some(hash) = row.task.identity_hash else { return };
        if let Entry::Occupied(mut ids) = self.identities.entry(hash) {
            ids.get_mut().retain(|(_, other)| *other != id);
            if ids.get().is_empty() {
                ids.remove();
            }
        }
    }
}

fn pending_step(task: TaskId, ordinal: u32, parents: u32, retry_limit: u32) -> StepRecord {
    StepRecord {
        id: task.step(ordinal),
        state: State::Pending,
        parents,
        unmet: parents,
        attempts: 0,
        retry_limit,
        ready_at: None,
        held: false,
        lease: None,
        started_at: None,
        ended_at: None,
        inputs: None,
        results: None,
        failure: None,
    }
}
