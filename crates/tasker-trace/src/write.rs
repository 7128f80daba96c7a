//! From the record of a task to the spans of its trace.

mod facts;
mod step;

use std::borrow::Cow;

use tasker_core::{State, TaskTemplate, Timestamp};
use tasker_store::{TaskBrief, Transition};

use crate::attributes as name;
use crate::context::TraceContext;
use crate::id::{SpanId, Subject, TraceId};
use crate::span::{Attribute, Kind, Link, Span, SpanError, Value};
use crate::story::{Run, Story};
use facts::Facts;

/// Most spans have not more.
const FACTS: usize = 14;

/// The trace of a task, as far as its record tells it: everything but what handlers did while they ran.
///
/// `history` is that of the task, in order; where it is empty there is no trace. Parents come before their parts,
/// and lie around them in time. The same record gives the same spans. What goes on beyond the record ends with it for
/// now, and says that it is unfinished. A `traceparent` that cannot be used is as good as none.
pub fn spans<'a>(
    task: &'a TaskBrief,
    template: &'a TaskTemplate,
    history: &'a [Transition],
) -> Vec<Span<'a>> {
    let Some(story) = Story::read(template, history) else { return Vec::new() };
    let mut trace = Trace { task, template, spans: Vec::with_capacity(2 + 4 * template.steps.len()) };
    trace.task(&story);
    for run in &story.runs {
        trace.run(run);
        for (ordinal, part) in &run.steps {
            trace.step(run.number, *ordinal, part);
        }
    }
    trace.spans
}

/// A trace in the making.
struct Trace<'a> {
    task: &'a TaskBrief,
    template: &'a TaskTemplate,
    spans: Vec<Span<'a>>,
}

/// When a span began and ended.
#[derive(Clone, Copy)]
struct Stretch {
    start: Timestamp,
    end: Timestamp,
}

impl<'a> Trace<'a> {
    fn span_id(&self, subject: Subject) -> SpanId {
        SpanId::of(self.task.id, subject)
    }

    /// A span that tells no more than its task.
    fn span(
        &self,
        subject: Subject,
        parent: Option<Subject>,
        name: impl Into<Cow<'a, str>>,
        stretch: Stretch,
    ) -> Span<'a> {
        let mut attributes = Vec::with_capacity(FACTS);
        attributes.push((name::TASK_ID, Value::Task(self.task.id)));
        Span {
            trace: TraceId::of(self.task.id),
            id: self.span_id(subject),
            parent: parent.map(|parent| self.span_id(parent)),
            name: name.into(),
            kind: Kind::Internal,
            start: stretch.start,
            end: stretch.end,
            attributes,
            events: Vec::new(),
            links: Vec::new(),
            error: None,
        }
    }

    /// A link to another span of this trace.
    fn link(&self, subject: Subject, kind: &'static str) -> Link {
        Link { trace: TraceId::of(self.task.id), span: self.span_id(subject), kind }
    }

    fn task(&mut self, story: &Story<'a>) {
        let key = self.template.key();
        let stretch = Stretch { start: story.start, end: story.end };
        let mut span = self.span(Subject::Task, None, format!("tasker.task {key}"), stretch);
        span.attributes.extend(self.task_facts());
        span.attributes.extend(facts::unfinished(story.runs.last().is_some_and(|run| run.verdict.is_none())));
        span.events = story.between.iter().map(|moment| facts::transition(*moment, self.template)).collect();
        let submitter = self.task.origin.traceparent.as_ref().and_then(|text| text.parse().ok());
        span.links = submitter.iter().map(created_by).collect();
        span.error = self.blocked(story.runs.last().filter(|_| self.task.state == State::Error));
        self.spans.push(span);
    }

    fn task_facts(&self) -> Vec<Attribute<'a>> {
        let (task, template) = (self.task, self.template);
        let steps = u32::try_from(template.steps.len()).unwrap_or(u32::MAX);
        let mut facts = Facts::default();
        facts.add(name::TASK_NAMESPACE, template.namespace.as_str());
        facts.add(name::TASK_NAME, template.name.as_str());
        facts.add(name::TASK_VERSION, template.version.to_string());
        facts.add(name::TASK_STATE, task.state.as_str());
        facts.add(name::TASK_STEPS, steps);
        facts.add_text(name::TASK_INITIATOR, &task.initiator);
        facts.add_text(name::TASK_SOURCE_SYSTEM, &task.source_system);
        facts.add_texts(name::TASK_TAGS, &task.tags);
        facts.add_text(name::CORRELATION_ID, task.origin.correlation_id.as_deref().unwrap_or_default());
        facts.finish()
    }

    fn run(&mut self, run: &Run<'a>) {
        let stretch = Stretch { start: run.start, end: run.end };
        let mut span =
            self.span(Subject::Run(run.number), Some(Subject::Task), "tasker.orchestrate", stretch);
        span.attributes.push((name::RUN_NUMBER, run.number.into()));
        span.attributes.push((name::RUN_TRIGGER, run.trigger.as_str().into()));
        let state = run.verdict.unwrap_or(State::InProgress);
        span.attributes.push((name::TASK_STATE, state.as_str().into()));
        span.attributes.extend(facts::unfinished(run.verdict.is_none()));
        span.events = run.moments.iter().map(|moment| facts::transition(*moment, self.template)).collect();
        span.error = self.blocked(Some(run).filter(|run| run.verdict == Some(State::Error)));
        self.spans.push(span);
    }

    /// What went wrong in a run that was blocked: the steps that failed.
    fn blocked(&self, run: Option<&Run<'a>>) -> Option<SpanError<'a>> {
        let failed = run?.steps.iter().filter(|(_, part)| part.state == State::Error);
        let names: Vec<&str> = failed.map(|(ordinal, _)| self.step_name(*ordinal)).take(10).collect();
        let message = match names.as_slice() {
            [] => "nothing can run any more".into(),
            names => format!("failed: {}", names.join(", ")).into(),
        };
        Some(SpanError { kind: "blocked".into(), message })
    }

    fn step_name(&self, ordinal: u32) -> &'a str {
        self.template.steps.get(ordinal as usize).map_or("", |step| step.name.as_ref())
    }
}

fn created_by(submitter: &TraceContext) -> Link {
    Link { trace: submitter.trace, span: submitter.span, kind: "created_by" }
}
