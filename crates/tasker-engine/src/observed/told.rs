//! What is told of settlements, submissions and commands.

use hashbrown::{HashMap, HashSet};
use tasker_core::{Failure, LeaseKey, State, TaskId};
use tasker_events::{ErrorCategory, Event, EventId, StepRef};
use tasker_store::{
    Cause, Command, CommandError, Done, Guard, PlanId, SettleReply, SettleRequest, Settled, StoreError,
    SubmitError, Submitted, Target, Transition, Verdict,
};

use super::{Held, Kinds, Observed};

/// A settlement, as far as it is told of.
pub(super) struct End {
    key: LeaseKey,
    is_rescue: bool,
    verdict: Outline,
}

enum Outline {
    Complete,
    Failed { failure: Failure, is_final: bool },
    Snooze,
}

/// Who gave a command, and why.
#[derive(Clone, Copy)]
struct Giver<'a> {
    by: &'a str,
    why: Option<&'a str>,
}

impl End {
    pub(super) fn all(request: &SettleRequest) -> Vec<Self> {
        let ends = request.settlements.iter();
        let ends = ends.map(|settlement| {
            let verdict = match &settlement.verdict {
                Verdict::Complete { .. } => Outline::Complete,
                Verdict::Retry { failure, .. } => {
                    Outline::Failed { failure: failure.clone(), is_final: false }
                }
                Verdict::Fail { failure } => Outline::Failed { failure: failure.clone(), is_final: true },
                Verdict::Snooze { .. } => Outline::Snooze,
            };
            Self { key: settlement.key, is_rescue: settlement.guard == Guard::Expired, verdict }
        });
        ends.collect()
    }
}

impl Observed {
    /// Tells what became of settlements: the attempts in their order, then their tasks.
    pub(super) async fn settled(&self, ends: &[End], reply: &SettleReply) {
        let held: Vec<Option<Held>> = {
            let mut attempts = self.attempts();
            ends.iter().map(|end| attempts.remove(&end.key)).collect()
        };
        let mut ended: HashMap<TaskId, Option<PlanId>> =
            reply.verdicts.iter().map(|(task, _)| (*task, None)).collect();
        let mut started: HashSet<TaskId> = reply.started.iter().copied().collect();
        let mut latest = None;
        let (mut processed_count, mut successful_count) = (0, 0);
        for ((end, held), settled) in ends.iter().zip(held).zip(&reply.settled) {
            let Some(held) = held else { continue };
            let Some(kinds) = self.kinds_after(held.plan, &mut latest).await else { continue };
            let task = end.key.step.task();
            if let Some(plan) = ended.get_mut(&task) {
                *plan = Some(held.plan);
            }
            if started.remove(&task) {
                self.started(kinds, task);
            }
            self.ended(end, held, kinds, *settled);
            if let Settled::Recorded { state, .. } = settled {
                processed_count += 1;
                successful_count += u32::from(*state == State::Complete);
            }
        }
        if processed_count > 0 {
            self.events.emit(&Event::WorkflowStepsExecutionCompleted { processed_count, successful_count });
        }
        for (task, state) in &reply.verdicts {
            let Some(Some(plan)) = ended.get(task) else { continue };
            let Some(kinds) = self.kinds_after(*plan, &mut latest).await else { continue };
            let (task, total_execution_duration) = (kinds.task(*task), self.age(*task));
            match state {
                State::Complete => self.events.emit(&Event::TaskCompleted { task, total_execution_duration }),
                State::Error => self.events.emit(&Event::TaskFailed { task, total_execution_duration }),
                State::Pending | State::InProgress | State::Cancelled | State::ResolvedManually => {}
            }
        }
    }

    fn ended(&self, end: &End, held: Held, kinds: &Kinds, settled: Settled) {
        let Some(attempt) = kinds.attempt(end.key) else { return };
        let execution_duration = held.began.map(|began| began.elapsed().as_secs_f64());
        let Settled::Recorded { ready_at, .. } = settled else {
            // Rescuers may find the same lease: that is no late end of an attempt.
            if !end.is_rescue {
                self.events.emit(&Event::LeaseFenced { attempt });
            }
            return;
        };
        if end.is_rescue {
            self.events.emit(&Event::LeaseExpired { attempt });
        }
        match &end.verdict {
            Outline::Complete => self.events.emit(&Event::StepCompleted { attempt, execution_duration }),
            Outline::Snooze => self.events.emit(&Event::StepSnoozed { attempt, until: ready_at }),
            Outline::Failed { failure, is_final } => {
                let exception_class = failure.code.as_deref().unwrap_or(kind_of(failure));
                self.events.emit(&Event::StepFailed {
                    attempt,
                    execution_duration,
                    error_message: &failure.message,
                    exception_class,
                    error_category: ErrorCategory::of(exception_class),
                    will_retry: ready_at.is_some(),
                });
                match ready_at {
                    Some(retry_at) => {
                        self.events.emit(&Event::ObservabilityStepBackoff { attempt, retry_at });
                    }
                    None if !is_final => {
                        self.events.emit(&Event::ObservabilityStepMaxRetriesReached { attempt });
                    }
                    None => {}
                }
            }
        }
    }

    /// Tells what became of a submission; `asked` are the plans of its tasks.
    pub(super) async fn submitted(&self, asked: &[PlanId], answer: &Result<Vec<Submitted>, SubmitError>) {
        let submitted = match answer {
            Ok(submitted) => submitted,
            Err(error) => {
                self.events.emit(&Event::TaskSubmissionRefused { reason: &error.to_string() });
                return;
            }
        };
        for (plan, submitted) in asked.iter().zip(submitted) {
            match submitted {
                Submitted::Existing(task_id) => {
                    self.events.emit(&Event::TaskDuplicateFound { task_id: *task_id });
                }
                Submitted::Created(id) if self.events.is_wanted(EventId::TaskInitializeRequested) => {
                    let Some(kinds) = self.kinds(*plan).await else { continue };
                    let (task, step_count) = (kinds.task(*id), kinds.task.steps);
                    self.events.emit(&Event::TaskInitializeRequested { task, step_count });
                }
                Submitted::Created(_) => {}
            }
        }
    }

    /// Tells what became of a command.
    pub(super) async fn commanded(&self, command: &Command, answer: &Result<Done, CommandError>) {
        match answer {
            Err(error) => {
                let (verb, reason) = (verb(command), &*error.to_string());
                self.events.emit(&Event::CommandRefused { verb, reason });
            }
            Ok(done) => {
                // The command is done: that what it did cannot be read back is told by the read itself.
                let _ = self.obeyed(command, *done).await;
            }
        }
    }

    async fn obeyed(&self, command: &Command, done: Done) -> Result<(), StoreError> {
        match command {
            Command::PauseNamespace { namespace, by, reason } => {
                let (namespace, reason) = (namespace.as_str(), reason.as_deref());
                self.events.emit(&Event::NamespacePaused { namespace, by, reason });
            }
            Command::ResumeNamespace { namespace, by } => {
                self.events.emit(&Event::NamespaceResumed { namespace: namespace.as_str(), by });
            }
            Command::Cancel { by, reason, .. } | Command::Resolve { by, reason, .. } => {
                self.tell_changes(command, Giver { by, why: reason.as_deref() }, done).await?;
            }
            Command::Retry { by, .. } => self.tell_changes(command, Giver { by, why: None }, done).await?,
            Command::Pause { task, by, .. }
            | Command::Resume { task, by }
            | Command::UpdateTask { task, by, .. } => {
                let Some(kinds) = self.kinds_of(*task).await? else { return Ok(()) };
                let task = kinds.task(*task);
                self.events.emit(&match command {
                    Command::Pause { reason, .. } => {
                        Event::TaskPaused { task, by, reason: reason.as_deref() }
                    }
                    Command::Resume { .. } => Event::TaskResumed { task, by },
                    _ => Event::TaskUpdated { task, by },
                });
            }
            Command::UpdateStep { step, by, .. } => {
                let Some(kinds) = self.kinds_of(step.task()).await? else { return Ok(()) };
                if let Some(kind) = kinds.steps.get(step.ordinal() as usize) {
                    self.events.emit(&Event::StepUpdated { step: StepRef { id: *step, kind }, by });
                }
            }
        }
        Ok(())
    }

    async fn kinds_of(&self, task: TaskId) -> Result<Option<std::sync::Arc<Kinds>>, StoreError> {
        match self.store.task(task).await? {
            Some(record) => Ok(self.kinds(record.plan).await),
            None => Ok(None),
        }
    }

    /// Tells of the changes of state that a command recorded.
    async fn tell_changes(&self, command: &Command, giver: Giver<'_>, done: Done) -> Result<(), StoreError> {
        let Some(task) = command.task() else { return Ok(()) };
        let Some(kinds) = self.kinds_of(task).await? else { return Ok(()) };
        let history = self.store.history(task).await?;
        for change in recorded_by(command, giver.by, &history) {
            self.tell_change(change, &kinds, giver, done);
        }
        Ok(())
    }

    fn tell_change(&self, change: &Transition, kinds: &Kinds, giver: Giver<'_>, done: Done) {
        let Giver { by, why } = giver;
        let Some(step) = change.step else {
            let task = kinds.task(change.task);
            let total_execution_duration = self.age(change.task);
            match change.cause {
                Cause::Cancelled => {
                    self.events.emit(&Event::TaskCancelled { task, by, cancellation_reason: why });
                }
                Cause::Resolved => self.events.emit(&Event::TaskResolvedManually { task, by, reason: why }),
                Cause::RetryRequested => {
                    self.events.emit(&Event::TaskRetryRequested { task, by, step_count: done.steps });
                }
                Cause::Started => self.started(kinds, change.task),
                Cause::Completed => {
                    self.events.emit(&Event::TaskCompleted { task, total_execution_duration });
                }
                Cause::Blocked => self.events.emit(&Event::TaskFailed { task, total_execution_duration }),
                _ => {}
            }
            return;
        };
        let Some(kind) = kinds.steps.get(step.ordinal() as usize) else { return };
        let step = StepRef { id: step, kind };
        match (change.cause, change.to) {
            (Cause::RetryRequested, _) => self.events.emit(&Event::StepRetryRequested { step, by }),
            (_, State::Cancelled) => self.events.emit(&Event::StepCancelled { step, by }),
            (_, State::ResolvedManually) => self.events.emit(&Event::StepResolvedManually { step, by }),
            _ => {}
        }
    }
}

/// What a command recorded: of the changes that carry the name of whoever gave it the latest of its kind, those of the
/// same commit beside it, and what followed for the task. A command's changes stand together.
fn recorded_by<'a>(command: &Command, by: &str, history: &'a [Transition]) -> &'a [Transition] {
    let (causes, target): (&[Cause], _) = match command {
        Command::Cancel { target, .. } => (&[Cause::Cancelled, Cause::TaskCancelled], target),
        Command::Resolve { target, .. } => (&[Cause::Resolved, Cause::TaskResolved], target),
        Command::Retry { target, .. } => (&[Cause::RetryRequested], target),
        Command::Pause { .. }
        | Command::Resume { .. }
        | Command::PauseNamespace { .. }
        | Command::ResumeNamespace { .. }
        | Command::UpdateStep { .. }
        | Command::UpdateTask { .. } => return &[],
    };
    let is_own = |change: &Transition| {
        let is_meant = match target {
            Target::Task(_) => true,
            Target::Step(step) => change.step == Some(*step),
        };
        is_meant && causes.contains(&change.cause) && change.by.as_deref() == Some(by)
    };
    let Some(last) = history.iter().rposition(is_own) else { return &[] };
    let at = history[last].at;
    let before = history[..last].iter().rev();
    let before = before.take_while(|change| change.at == at && is_own(change)).count();
    let follows =
        |change: &&Transition| change.at == at && change.step.is_none() && change.by.as_deref() == Some(by);
    let after = history[last + 1..].iter().take_while(follows).count();
    &history[last - before..=last + after]
}

fn verb(command: &Command) -> &'static str {
    match command {
        Command::Cancel { .. } => "cancel",
        Command::Retry { .. } => "retry",
        Command::Resolve { .. } => "resolve",
        Command::Pause { .. } | Command::PauseNamespace { .. } => "pause",
        Command::Resume { .. } | Command::ResumeNamespace { .. } => "resume",
        Command::UpdateStep { .. } | Command::UpdateTask { .. } => "update",
    }
}

fn kind_of(failure: &Failure) -> &'static str {
    use tasker_core::FailureKind;
    match failure.kind {
        FailureKind::Retryable => "RETRYABLE",
        FailureKind::Permanent => "PERMANENT",
        FailureKind::Panic => "PANIC",
        FailureKind::Timeout => "TIMEOUT",
        FailureKind::LeaseExpired => "LEASE_EXPIRED",
        FailureKind::Configuration => "CONFIGURATION",
    }
}
