//! Attributes and events.

use serde_json::Value as Json;
use tasker_core::TaskTemplate;
use tasker_store::Cause;

use crate::attributes as name;
use crate::span::{Attribute, Event, SpanError, Value};
use crate::story::Moment;

/// How long a message may be in a span, in characters.
const MESSAGE: usize = 1_000;

/// Attributes in the making.
#[derive(Default)]
pub(super) struct Facts<'a>(Vec<Attribute<'a>>);

impl<'a> Facts<'a> {
    pub(super) fn add(&mut self, name: &'static str, value: impl Into<Value<'a>>) {
        self.0.push((name, value.into()));
    }

    /// Adds a text that says something.
    pub(super) fn add_text(&mut self, name: &'static str, text: &'a str) {
        if !text.is_empty() {
            self.add(name, text);
        }
    }

    /// Adds texts, if there are any.
    pub(super) fn add_texts(&mut self, name: &'static str, texts: &'a [String]) {
        if !texts.is_empty() {
            self.0.push((name, Value::Texts(texts.into())));
        }
    }

    pub(super) fn finish(self) -> Vec<Attribute<'a>> {
        self.0
    }
}

/// Says of a span that it has not ended, if it has not.
pub(super) fn unfinished(is_open: bool) -> Option<Attribute<'static>> {
    is_open.then_some((name::UNFINISHED, Value::Truth(true)))
}

/// A change of state as an event.
pub(super) fn transition<'a>(moment: Moment<'a>, template: &'a TaskTemplate) -> Event<'a> {
    let transition = moment.transition;
    let mut facts = Facts::default();
    let step = transition.step.and_then(|step| template.steps.get(step.ordinal() as usize));
    if let Some(step) = step {
        facts.add(name::STEP_NAME, step.name.as_str());
    }
    if let Some(from) = transition.from {
        facts.add(name::TRANSITION_FROM, from.as_str());
    }
    facts.add(name::TRANSITION_TO, transition.to.as_str());
    facts.add(name::TRANSITION_CAUSE, transition.cause.as_str());
    if let Some(attempt) = transition.attempt {
        facts.add(name::ATTEMPT_NUMBER, attempt);
    }
    if transition.cause != Cause::Claimed {
        facts.add_text(name::TRANSITION_BY, transition.by.as_deref().unwrap_or_default());
    }
    facts.add_text(name::TRANSITION_REASON, text(&transition.details, "reason").unwrap_or_default());
    Event { name: name::TRANSITION, at: moment.at, attributes: facts.finish() }
}

/// The failure of an attempt, as it was recorded: its code if it has one, else its kind.
pub(super) fn error(failure: &Json) -> SpanError<'_> {
    let kind = text(failure, "code").or_else(|| text(failure, "kind")).unwrap_or("_OTHER");
    let message = text(failure, "message").unwrap_or_default();
    let end = message.char_indices().nth(MESSAGE).map_or(message.len(), |(end, _)| end);
    SpanError { kind: kind.into(), message: message[..end].into() }
}

fn text<'j>(json: &'j Json, key: &str) -> Option<&'j str> {
    json.get(key)?.as_str()
}
