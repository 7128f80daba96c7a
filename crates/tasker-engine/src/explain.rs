//! Why something is not running: in data, and in one sentence.

mod reason;
mod words;

use std::collections::HashMap;

use serde::Serialize;
use tasker_core::{FailureKind, Readiness, State, StepId, TaskId, WorkerId, readiness};
use tasker_store::{Pause, StepRecord, Target, WorkerRecord};

pub use self::reason::Reason;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::view::TaskView;

/// Why a task, or one of its steps, is in the state it is in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The task.
    pub task_id: TaskId,
    /// Its state.
    pub status: State,
    /// In one sentence.
    pub sentence: String,
    /// The steps that have not ended, or the one that was asked about, each with its reasons.
    pub steps: Vec<StepExplanation>,
}

/// Why one step is in the state it is in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepExplanation {
    /// The step.
    pub step_id: StepId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub status: State,
    /// Why it does not run, or what it does.
    pub reasons: Vec<Reason>,
    /// In one sentence.
    pub sentence: String,
}

/// What is known beyond the task itself.
struct Surroundings {
    workers: Vec<WorkerRecord>,
    namespace_pause: Option<Pause>,
}

impl Engine {
    /// Says why a task, or one of its steps, is in the state it is in.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`] if there is no such task or step.
    pub async fn explain(&self, target: Target) -> Result<Explanation, EngineError> {
        let view = self.task(target.task()).await?;
        let view = view.ok_or_else(|| EngineError::NotFound(format!("task {}", target.task())))?;
        let seen_since = view.now.minus(self.settings.worker_gone_after);
        let around = Surroundings {
            workers: self.store.workers(seen_since).await?,
            namespace_pause: self.store.namespace_pause(&view.template.namespace).await?,
        };
        match target {
            Target::Task(_) => Ok(view.explain(&around)),
            Target::Step(id) => {
                let step = view.steps.get(id.ordinal() as usize);
                let step = step.ok_or_else(|| EngineError::NotFound(format!("step {id}")))?;
                let explanation = view.explain_step(step, &around);
                let sentence = format!("Step {}", view.with_causes(step, &explanation, &around));
                Ok(Explanation {
                    task_id: view.task.id,
                    status: view.task.state,
                    sentence,
                    steps: vec![explanation],
                })
            }
        }
    }
}

impl TaskView {
    fn explain(&self, around: &Surroundings) -> Explanation {
        let open = self.steps.iter().filter(|step| !step.state.is_ended());
        let steps: Vec<_> = open.map(|step| self.explain_step(step, around)).collect();
        Explanation {
            task_id: self.task.id,
            status: self.task.state,
            sentence: self.task_sentence(&steps),
            steps,
        }
    }

    fn task_sentence(&self, steps: &[StepExplanation]) -> String {
        let when = self.task.ended_at.map(|time| format!(" at {time}")).unwrap_or_default();
        match self.task.state {
            State::Complete => return format!("The task was completed{when}."),
            State::Cancelled => return format!("The task was cancelled{when}."),
            State::ResolvedManually => return format!("The task was resolved by hand{when}."),
            State::Pending | State::InProgress | State::Error => {}
        }
        let main =
            steps.iter().filter(|step| step.reasons.first().is_some_and(Reason::is_root_cause)).take(3);
        let mut causes: Vec<_> = main.map(|step| step.sentence.trim_end_matches('.').to_owned()).collect();
        if let Some(pause) = &self.task.paused {
            // What holds a task back says all, unless it has come to a stop for another reason.
            causes.retain(|_| self.task.state == State::Error);
            causes.push(format!("it is paused by {} since {}", pause.by, pause.at));
        }
        let rest = match steps {
            [] => "the last of its steps has just ended".to_owned(),
            _ if causes.is_empty() => "its steps wait for each other".to_owned(),
            _ => causes.join("; "),
        };
        match self.task.state {
            State::Error => format!("The task is blocked by failures: {rest}."),
            _ => format!("The task is {}: {rest}.", self.task.state.as_str().replace('_', " ")),
        }
    }

    fn explain_step(&self, step: &StepRecord, around: &Surroundings) -> StepExplanation {
        let reasons = self.reasons(step, around);
        let name = self.step_template(step).name.to_string();
        let words: Vec<_> = reasons.iter().map(|reason| reason.in_words(step.state)).collect();
        let sentence = format!("{name} {}.", words.join(", and "));
        StepExplanation { step_id: step.id, name, status: step.state, reasons, sentence }
    }

    /// The sentence of a step that is asked about by itself, with what keeps the steps before it from ever
    /// going on without help.
    fn with_causes(&self, step: &StepRecord, explanation: &StepExplanation, around: &Surroundings) -> String {
        let sentence = &explanation.sentence;
        if !matches!(explanation.reasons.first(), Some(Reason::UnmetDependencies { .. })) {
            return sentence.clone();
        }
        let before = self.template.graph().ancestors(step.id.ordinal());
        let before = before.iter().filter_map(|ordinal| self.steps.get(*ordinal as usize));
        let stuck = before.filter(|step| self.is_stuck(step));
        let causes = stuck.map(|step| self.explain_step(step, around).sentence);
        let causes: Vec<_> = causes.map(|cause| cause.trim_end_matches('.').to_owned()).take(3).collect();
        if causes.is_empty() {
            return sentence.clone();
        }
        format!("{} and cannot run without help: {}.", sentence.trim_end_matches('.'), causes.join("; "))
    }

    /// Whether those that depend on a step wait in vain until someone does something.
    fn is_stuck(&self, step: &StepRecord) -> bool {
        step.state == State::Cancelled || readiness(&step.facts(), self.now) == Readiness::Blocked
    }

    fn reasons(&self, step: &StepRecord, around: &Surroundings) -> Vec<Reason> {
        let message = || step.failure.as_ref().map(|failure| failure.message.clone());
        let main = match readiness(&step.facts(), self.now) {
            Readiness::Ended => return vec![Reason::Ended],
            Readiness::Running => return self.at_work(step, around),
            Readiness::After { .. } => Reason::UnmetDependencies { steps: self.unmet(step) },
            Readiness::Blocked => {
                let exhausted = step.failure.as_ref().is_some_and(|failure| match failure.kind {
                    FailureKind::Permanent | FailureKind::Configuration => false,
                    FailureKind::Retryable
                    | FailureKind::Panic
                    | FailureKind::Timeout
                    | FailureKind::LeaseExpired => true,
                });
                if exhausted {
                    Reason::Exhausted { attempts: step.attempts, message: message() }
                } else {
                    Reason::PermanentFailure { message: message() }
                }
            }
            Readiness::At { time } if step.state == State::Error => {
                Reason::Backoff { until: time, attempt: step.attempts, message: message() }
            }
            Readiness::At { time } => Reason::Scheduled { until: time },
            Readiness::Held => return self.pauses(around),
            Readiness::Now => {
                let pauses = self.pauses(around);
                if !pauses.is_empty() {
                    return pauses;
                }
                self.no_worker(step, around)
            }
        };
        let mut reasons = vec![main];
        reasons.extend(self.pauses(around));
        reasons
    }

    /// What is at work is not held by a pause; what will have to be begun again is.
    fn at_work(&self, step: &StepRecord, around: &Surroundings) -> Vec<Reason> {
        let (worker, until) = step.lease.unwrap_or((WorkerId::from(uuid::Uuid::nil()), self.now));
        let record = around.workers.iter().find(|record| record.id == worker);
        let worker_name = record.map(|record| record.name.clone());
        let attempt = step.attempts;
        if until > self.now {
            return vec![Reason::Leased { worker, worker_name, until, attempt }];
        }
        let attempts_left = step.retry_limit.saturating_sub(attempt);
        let mut reasons = vec![Reason::LeaseExpired { worker, worker_name, until, attempt, attempts_left }];
        reasons.extend(self.pauses(around));
        reasons
    }

    fn unmet(&self, step: &StepRecord) -> Vec<(String, State)> {
        let by_ordinal: HashMap<u32, &StepRecord> =
            self.steps.iter().map(|step| (step.id.ordinal(), step)).collect();
        let parents = self.template.graph().parents(step.id.ordinal()).iter();
        let parents = parents.filter_map(|ordinal| by_ordinal.get(ordinal));
        let unmet = parents.filter(|parent| !parent.state.satisfies_dependents());
        unmet.map(|parent| (self.step_template(parent).name.to_string(), parent.state)).collect()
    }

    fn pauses(&self, around: &Surroundings) -> Vec<Reason> {
        let task = self.task.paused.as_ref().map(|pause| Reason::TaskPaused(pause.into()));
        let namespace = around.namespace_pause.as_ref().map(|pause| Reason::NamespacePaused(pause.into()));
        task.into_iter().chain(namespace).collect()
    }

    fn no_worker(&self, step: &StepRecord, around: &Surroundings) -> Reason {
        let template = self.step_template(step);
        let serving = around.workers.iter().filter(|worker| {
            worker.serves(&template.queue, &template.handler) || self.is_served_alone(worker)
        });
        let workers = serving.count();
        if workers == 0 {
            let (handler, queue) = (template.handler.to_string(), template.queue.to_string());
            return Reason::NoWorker { handler, queue };
        }
        Reason::WaitingForWorker { since: step.ready_at.unwrap_or(self.now), workers }
    }

    /// Whether a worker serves this task and no other: such a one offers nothing to all, and is at work here.
    fn is_served_alone(&self, worker: &WorkerRecord) -> bool {
        let holds = |step: &StepRecord| step.lease.is_some_and(|(holder, _)| holder == worker.id);
        !worker.draining && worker.queues.is_empty() && self.steps.iter().any(holds)
    }
}
