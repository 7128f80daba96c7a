//! A span as plain data, most of which it borrows from the record that it was made of.

use std::borrow::Cow;
use std::fmt;

use tasker_core::{StepId, TaskId, Timestamp};

use crate::id::{SpanId, TraceId};

/// A stretch of time in a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Span<'a> {
    /// The trace it belongs to.
    pub trace: TraceId,
    /// Its id.
    pub id: SpanId,
    /// The span it is part of; `None` for the task.
    pub parent: Option<SpanId>,
    /// What it is called.
    pub name: Cow<'a, str>,
    /// Its part in the exchange of messages.
    pub kind: Kind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Facts about it.
    pub attributes: Vec<Attribute<'a>>,
    /// What happened in it.
    pub events: Vec<Event<'a>>,
    /// Spans that it has to do with, but is not part of.
    pub links: Vec<Link>,
    /// What went wrong, if something did.
    pub error: Option<SpanError<'a>>,
}

/// The part of a span in the exchange of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None.
    Internal,
    /// It takes what another has put into a queue.
    Consumer,
}

/// A fact: its name, see [`attributes`](crate::attributes), and its value.
pub type Attribute<'a> = (&'static str, Value<'a>);

/// The value of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// Texts.
    Texts(Cow<'a, [String]>),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Truth(bool),
    /// A task: its id as text.
    Task(TaskId),
    /// A step: its id as text.
    Step(StepId),
}

/// Something that happened at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    /// What it is called.
    pub name: &'static str,
    /// When.
    pub at: Timestamp,
    /// Facts about it.
    pub attributes: Vec<Attribute<'a>>,
}

/// A span that another has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its trace.
    pub trace: TraceId,
    /// Its id.
    pub span: SpanId,
    /// What the one has to do with the other: the attribute [`LINK_TYPE`](crate::attributes::LINK_TYPE).
    pub kind: &'static str,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanError<'a> {
    /// A short stable name of the kind of failure: `error.type`.
    pub kind: Cow<'a, str>,
    /// What happened, for a person.
    pub message: Cow<'a, str>,
}

impl<'a> Span<'a> {
    /// The value of an attribute, if it has one of this name.
    pub fn attribute(&self, name: &str) -> Option<&Value<'a>> {
        self.attributes.iter().find(|(of, _)| *of == name).map(|(_, value)| value)
    }

    /// The same, to be kept longer than the record.
    pub fn into_owned(self) -> Span<'static> {
        let events = self.events.into_iter();
        Span {
            name: owned(self.name),
            attributes: kept(self.attributes),
            events: events
                .map(|event| Event { attributes: kept(event.attributes), name: event.name, at: event.at })
                .collect(),
            error: self
                .error
                .map(|error| SpanError { kind: owned(error.kind), message: owned(error.message) }),
            trace: self.trace,
            id: self.id,
            parent: self.parent,
            kind: self.kind,
            start: self.start,
            end: self.end,
            links: self.links,
        }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn kept(attributes: Vec<Attribute<'_>>) -> Vec<Attribute<'static>> {
    let kept = attributes.into_iter().map(|(name, value)| {
        let value = match value {
            Value::Text(text) => Value::Text(owned(text)),
            Value::Texts(texts) => Value::Texts(Cow::Owned(texts.into_owned())),
            Value::Number(number) => Value::Number(number),
            Value::Truth(truth) => Value::Truth(truth),
            Value::Task(task) => Value::Task(task),
            Value::Step(step) => Value::Step(step),
        };
        (name, value)
    });
    kept.collect()
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Texts(texts) => f.write_str(&texts.join(", ")),
            Self::Number(number) => number.fmt(f),
            Self::Truth(truth) => truth.fmt(f),
            Self::Task(task) => task.fmt(f),
            Self::Step(step) => step.fmt(f),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number))
    }
}
