//! The spans of a step: itself, its waits, its attempts.

use tasker_core::{State, StepId, StepTemplate};

use super::{Stretch, Trace, facts};
use crate::attributes as name;
use crate::id::{Subject, key as lease_key};
use crate::span::{Attribute, Kind, Link, Span, SpanError, Value};
use crate::story::{Attempt, Basis, Outcome, Part, Wait};

/// A step, and what all its spans tell of it.
struct Step<'a> {
    id: StepId,
    recipe: &'a StepTemplate,
    facts: [Attribute<'a>; 4],
}

impl<'a> Trace<'a> {
    /// The part of a step in a run. A step that the template does not have has none.
    pub(super) fn step(&mut self, run: u32, ordinal: u32, part: &Part<'a>) {
        let Some(recipe) = self.template.steps.get(ordinal as usize) else { return };
        let subject = Subject::Step { run, ordinal };
        let step = Step::new(self.task.id.step(ordinal), recipe);
        let stretch = Stretch { start: part.start, end: part.end };
        let mut span =
            self.span(subject, Some(Subject::Run(run)), format!("tasker.step {}", recipe.name), stretch);
        span.attributes.extend_from_slice(&step.facts);
        span.attributes.push((name::STEP_STATE, part.state.as_str().into()));
        let attempts = u32::try_from(part.attempts.len()).unwrap_or(u32::MAX);
        span.attributes.push((name::STEP_ATTEMPTS, attempts.into()));
        span.attributes.push((name::ATTEMPT_MAX, recipe.retry.max_attempts().into()));
        span.attributes.extend(facts::unfinished(part.is_open));
        span.events = part.moments.iter().map(|moment| facts::transition(*moment, self.template)).collect();
        span.links = part.bases.iter().map(|basis| self.depends_on(*basis)).collect();
        if part.state == State::Error {
            span.error = part.attempts.last().map(|attempt| facts::error(attempt.failure));
        }
        self.spans.push(span);
        let mut attempts = part.attempts.iter().peekable();
        for wait in &part.waits {
            while let Some(attempt) = attempts.next_if(|attempt| attempt.number < wait.attempt) {
                self.attempt(&step, subject, attempt);
            }
            self.wait(&step, subject, wait);
        }
        for attempt in attempts {
            self.attempt(&step, subject, attempt);
        }
    }

    fn depends_on(&self, basis: Basis) -> Link {
        let subject = match basis {
            Basis::Attempt { ordinal, attempt } => {
                Subject::Attempt(lease_key(self.task.id.step(ordinal), attempt))
            }
            Basis::Step { ordinal, run } => Subject::Step { run, ordinal },
        };
        self.link(subject, "depends_on")
    }

    fn wait(&mut self, step: &Step<'a>, parent: Subject, wait: &Wait) {
        let stretch = Stretch { start: wait.start, end: wait.end };
        let subject = Subject::Queue(lease_key(step.id, wait.attempt));
        let mut span = self.span(subject, Some(parent), "tasker.queue", stretch);
        span.attributes.extend_from_slice(&step.facts);
        span.attributes.push((name::ATTEMPT_NUMBER, wait.attempt.into()));
        span.attributes.push((name::QUEUE_CAUSE, wait.cause.as_str().into()));
        span.attributes.extend(facts::unfinished(wait.is_open));
        self.spans.push(span);
    }

    fn attempt(&mut self, step: &Step<'a>, parent: Subject, attempt: &Attempt<'a>) {
        let key = lease_key(step.id, attempt.number);
        let stretch = Stretch { start: attempt.start, end: attempt.end };
        let mut span = self.span(Subject::Attempt(key), Some(parent), "tasker.attempt", stretch);
        span.kind = Kind::Consumer;
        span.attributes.extend_from_slice(&step.facts);
        span.attributes.extend(step.message_facts());
        span.attributes.push((name::ATTEMPT_MAX, step.recipe.retry.max_attempts().into()));
        if let Some(delay) = attempt.delay {
            let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
            span.attributes.push((name::RETRY_DELAY_MS, Value::Number(delay)));
        }
        let previous = attempt.previous.map(|number| Subject::Attempt(lease_key(step.id, number)));
        span.links = previous.into_iter().map(|previous| self.link(previous, "retry_of")).collect();
        end(&mut span, attempt);
        self.spans.push(span);
        let handler = format!("tasker.handler {}", step.recipe.handler);
        let mut span = self.span(Subject::Handler(key), Some(Subject::Attempt(key)), handler, stretch);
        span.attributes.extend_from_slice(&step.facts);
        end(&mut span, attempt);
        self.spans.push(span);
    }
}

/// Who made an attempt, and how it ended.
fn end<'a>(span: &mut Span<'a>, attempt: &Attempt<'a>) {
    span.attributes.push((name::ATTEMPT_NUMBER, attempt.number.into()));
    if let Some(worker) = attempt.worker {
        span.attributes.push((name::WORKER, worker.into()));
    }
    match attempt.outcome {
        Some(outcome) => span.attributes.push((name::OUTCOME, outcome.as_str().into())),
        None => span.attributes.extend(facts::unfinished(true)),
    }
    span.error = match attempt.outcome {
        Some(Outcome::Error) => Some(facts::error(attempt.failure)),
        Some(Outcome::Lost) => {
            Some(SpanError { kind: "lease_expired".into(), ..facts::error(attempt.failure) })
        }
        Some(Outcome::Completed | Outcome::Snoozed | Outcome::Cancelled) | None => None,
    };
}

impl<'a> Step<'a> {
    fn new(id: StepId, recipe: &'a StepTemplate) -> Self {
        let facts = [
            (name::STEP_ID, Value::Step(id)),
            (name::STEP_NAME, recipe.name.as_str().into()),
            (name::HANDLER, recipe.handler.as_str().into()),
            (name::QUEUE, recipe.queue.as_str().into()),
        ];
        Self { id, recipe, facts }
    }

    /// An attempt as the consumption of a message.
    fn message_facts(&self) -> [Attribute<'a>; 5] {
        let [(_, id), .., (_, queue)] = &self.facts;
        [
            (name::MESSAGING_SYSTEM, name::SYSTEM.into()),
            (name::MESSAGING_DESTINATION_NAME, queue.clone()),
            (name::MESSAGING_OPERATION_TYPE, name::PROCESS.into()),
            (name::MESSAGING_OPERATION_NAME, name::PROCESS.into()),
            (name::MESSAGING_MESSAGE_ID, id.clone()),
        ]
    }
}
