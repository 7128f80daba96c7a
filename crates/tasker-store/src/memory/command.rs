//! Commands.

use serde_json::{Value, json};
use tasker_core::{Namespace, State, StepId, TaskEvent, TaskId, Timestamp};

use super::tables::{Tables, transition};
use crate::command::{Attempts, Command, CommandError, Done, Target};
use crate::feed::{Cause, Transition};
use crate::record::Pause;

type Answer = Result<Done, CommandError>;

/// Who gives a command, why, and when.
struct Order<'a> {
    by: &'a str,
    reason: Option<&'a str>,
    now: Timestamp,
}

impl Tables {
    pub(super) fn command(&mut self, command: &Command, now: Timestamp) -> Answer {
        match command {
            Command::Cancel { target, by, reason } => {
                let order = Order { by, reason: reason.as_deref(), now };
                match *target {
                    Target::Task(id) => self.cancel_task(id, &order),
                    Target::Step(id) => self.cancel_step(id, &order),
                }
            }
            Command::Retry { target, attempts, by } => {
                self.retry(*target, *attempts, &Order { by, reason: None, now })
            }
            Command::Resolve { target, results, by, reason } => {
                let order = Order { by, reason: reason.as_deref(), now };
                match *target {
                    Target::Task(id) => self.resolve_task(id, &order),
                    Target::Step(id) => self.resolve_step(id, results.as_ref(), &order),
                }
            }
            Command::Pause { task, by, reason } => {
                self.pause(*task, &Order { by, reason: reason.as_deref(), now })
            }
            Command::Resume { task, .. } => self.resume(*task),
            Command::PauseNamespace { namespace, by, reason } => {
                self.pause_namespace(namespace, &Order { by, reason: reason.as_deref(), now })
            }
            Command::ResumeNamespace { namespace, .. } => self.resume_namespace(namespace),
            Command::UpdateStep { step, inputs, retry_limit, .. } => {
                self.update_step(*step, inputs.as_ref(), *retry_limit)
            }
            Command::UpdateTask { task, reason, tags, .. } => {
                self.update_task(*task, reason.as_ref(), tags.as_ref())
            }
        }
    }

    fn cancel_task(&mut self, id: TaskId, order: &Order<'_>) -> Answer {
        self.check_task(id, TaskEvent::Cancel, "be cancelled")?;
        let steps = self.cancel_open_steps(id, Cause::TaskCancelled, order);
        self.finish_task(id, TaskEvent::Cancel, order);
        Ok(self.done(id, steps))
    }

    fn resolve_task(&mut self, id: TaskId, order: &Order<'_>) -> Answer {
        self.check_task(id, TaskEvent::Resolve, "be resolved")?;
        let steps = self.cancel_open_steps(id, Cause::TaskResolved, order);
        self.finish_task(id, TaskEvent::Resolve, order);
        Ok(self.done(id, steps))
    }

    /// Moves a task by command, and keeps the reason with the transition.
    fn finish_task(&mut self, id: TaskId, event: TaskEvent, order: &Order<'_>) {
        self.move_task(id, event, Some(order.by), order.now);
        if let Some(last) = self.feed.last_mut() {
            last.details = details(order);
        }
    }

    fn cancel_open_steps(&mut self, id: TaskId, cause: Cause, order: &Order<'_>) -> u32 {
        let steps = self.tasks.get(&id).into_iter().flat_map(|row| row.steps.iter());
        let open: Vec<_> = steps.filter(|step| !step.state.is_ended()).map(|step| step.id).collect();
        for step in &open {
            self.end_step(*step, State::Cancelled, cause, order);
        }
        u32::try_from(open.len()).unwrap_or(u32::MAX)
    }

    fn end_step(&mut self, id: StepId, to: State, cause: Cause, order: &Order<'_>) {
        let from = self.step(id).map(|step| step.state);
        let ended = transition(id.task(), from, to, cause, order.now);
        let by = Some(order.by.to_owned());
        self.record(Transition { step: Some(id), by, details: details(order), ..ended });
        self.change(id, |step| {
            step.state = to;
            step.ready_at = None;
            step.lease = None;
            step.ended_at = Some(order.now);
        });
    }

    fn cancel_step(&mut self, id: StepId, order: &Order<'_>) -> Answer {
        let state = self.check_step(id)?;
        if state.is_ended() {
            return Err(CommandError::illegal(Target::Step(id), state, "be cancelled"));
        }
        self.end_step(id, State::Cancelled, Cause::Cancelled, order);
        self.judge(id.task(), Some(order.by), order.now);
        Ok(self.done(id.task(), 1))
    }

    fn resolve_step(&mut self, id: StepId, results: Option<&Value>, order: &Order<'_>) -> Answer {
        let state = self.check_step(id)?;
        if !matches!(state, State::Pending | State::Error) {
            return Err(CommandError::illegal(Target::Step(id), state, "be resolved"));
        }
        self.end_step(id, State::ResolvedManually, Cause::Resolved, order);
        self.change(id, |step| step.results = results.cloned().or(step.results.take()));
        self.promote_dependents(id, order.now);
        self.judge(id.task(), Some(order.by), order.now);
        Ok(self.done(id.task(), 1))
    }

    fn retry(&mut self, target: Target, attempts: Attempts, order: &Order<'_>) -> Answer {
        let failed = match target {
            Target::Step(step) => self.failed_step(step)?,
            Target::Task(task) => self.failed_steps(task)?,
        };
        for step in &failed {
            self.retry_step(*step, attempts, order);
        }
        self.judge(target.task(), Some(order.by), order.now);
        Ok(self.done(target.task(), u32::try_from(failed.len()).unwrap_or(u32::MAX)))
    }

    fn failed_step(&self, id: StepId) -> Result<Vec<StepId>, CommandError> {
        match self.check_step(id)? {
            State::Error => Ok(vec![id]),
            state => Err(CommandError::illegal(Target::Step(id), state, "be retried")),
        }
    }

    fn failed_steps(&self, id: TaskId) -> Result<Vec<StepId>, CommandError> {
        let row = self.tasks.get(&id).ok_or_else(|| CommandError::no_task(id))?;
        if row.task.state.is_ended() {
            return Err(CommandError::illegal(Target::Task(id), row.task.state, "be retried"));
        }
        let failed = row.steps.iter().filter(|step| step.state == State::Error);
        let failed: Vec<_> = failed.map(|step| step.id).collect();
        if failed.is_empty() { Err(CommandError::NothingToRetry(id)) } else { Ok(failed) }
    }

    fn retry_step(&mut self, id: StepId, attempts: Attempts, order: &Order<'_>) {
        let plan = self.task_mut(id.task()).plan;
        let limit = self.template_of(plan).steps[id.ordinal() as usize].retry.max_attempts();
        self.change(id, |step| {
            step.state = State::Pending;
            step.ready_at = Some(order.now);
            step.retry_limit = match attempts {
                Attempts::Reset => step.attempts.saturating_add(limit),
                Attempts::Extend(more) => step.retry_limit.max(step.attempts.saturating_add(more.max(1))),
            };
        });
        let again =
            transition(id.task(), Some(State::Error), State::Pending, Cause::RetryRequested, order.now);
        self.record(Transition { step: Some(id), by: Some(order.by.to_owned()), ..again });
    }

    fn pause(&mut self, id: TaskId, order: &Order<'_>) -> Answer {
        let task = &mut self.tasks.get_mut(&id).ok_or_else(|| CommandError::no_task(id))?.task;
        if task.state.is_ended() {
            return Err(CommandError::illegal(Target::Task(id), task.state, "be paused"));
        }
        if task.paused.is_some() {
            return Err(CommandError::already_paused(&format!("task {id}")));
        }
        task.paused = Some(pause(order));
        Ok(self.hold_steps(id, true))
    }

    fn resume(&mut self, id: TaskId) -> Answer {
        let task = &mut self.tasks.get_mut(&id).ok_or_else(|| CommandError::no_task(id))?.task;
        if task.paused.take().is_none() {
            return Err(CommandError::not_paused(&format!("task {id}")));
        }
        Ok(self.hold_steps(id, false))
    }

    /// Says of every step whether its task is paused; those that have not ended count.
    fn hold_steps(&mut self, id: TaskId, held: bool) -> Done {
        let steps = self.tasks.get(&id).into_iter().flat_map(|row| row.steps.iter());
        for step in steps.map(|step| step.id).collect::<Vec<_>>() {
            self.change(step, |step| step.held = held);
        }
        let open = self.task_mut(id).unfinished;
        self.done(id, open)
    }

    fn pause_namespace(&mut self, namespace: &Namespace, order: &Order<'_>) -> Answer {
        if self.paused.contains_key(namespace) {
            return Err(CommandError::already_paused(&format!("namespace {namespace}")));
        }
        self.paused.insert(namespace.clone(), pause(order));
        Ok(Done::default())
    }

    fn resume_namespace(&mut self, namespace: &Namespace) -> Answer {
        match self.paused.remove(namespace) {
            Some(_) => {
                self.namespace_opened = true;
                Ok(Done::default())
            }
            None => Err(CommandError::not_paused(&format!("namespace {namespace}"))),
        }
    }

    fn update_step(&mut self, id: StepId, inputs: Option<&Value>, retry_limit: Option<u32>) -> Answer {
        let state = self.check_step(id)?;
        if state.is_ended() {
            return Err(CommandError::illegal(Target::Step(id), state, "be changed"));
        }
        self.change(id, |step| {
            step.inputs = inputs.cloned().or(step.inputs.take());
            step.retry_limit = retry_limit.unwrap_or(step.retry_limit);
        });
        Ok(self.done(id.task(), 1))
    }

    fn update_task(&mut self, id: TaskId, reason: Option<&String>, tags: Option<&Vec<String>>) -> Answer {
        let task = &mut self.tasks.get_mut(&id).ok_or_else(|| CommandError::no_task(id))?.task;
        task.reason = reason.cloned().unwrap_or_else(|| std::mem::take(&mut task.reason));
        task.tags = tags.cloned().unwrap_or_else(|| std::mem::take(&mut task.tags));
        Ok(self.done(id, 0))
    }

    fn check_task(&self, id: TaskId, event: TaskEvent, verb: &'static str) -> Result<(), CommandError> {
        let row = self.tasks.get(&id).ok_or_else(|| CommandError::no_task(id))?;
        match row.task.state.task_after(event) {
            Some(_) => Ok(()),
            None => Err(CommandError::illegal(Target::Task(id), row.task.state, verb)),
        }
    }

    fn check_step(&self, id: StepId) -> Result<State, CommandError> {
        self.step(id).map(|step| step.state).ok_or_else(|| CommandError::no_step(id))
    }

    fn done(&self, id: TaskId, steps: u32) -> Done {
        Done { steps, task_state: self.tasks.get(&id).map(|row| row.task.state) }
    }
}

fn details(order: &Order<'_>) -> Value {
    order.reason.map_or(Value::Null, |reason| json!({ "reason": reason }))
}

fn pause(order: &Order<'_>) -> Pause {
    Pause { by: order.by.to_owned(), at: order.now, reason: order.reason.map(str::to_owned) }
}
