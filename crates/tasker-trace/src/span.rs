//! A span as plain data.

use std::borrow::Cow;
use std::fmt;

use tasker_core::Timestamp;

use crate::id::{SpanId, TraceId};

/// A stretch of time in a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace: TraceId,
    /// Its id.
    pub id: SpanId,
    /// The span it is part of; `None` for the task.
    pub parent: Option<SpanId>,
    /// What it is called.
    pub name: Cow<'static, str>,
    /// Its part in the exchange of messages.
    pub kind: Kind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Facts about it.
    pub attributes: Vec<Attribute>,
    /// What happened in it.
    pub events: Vec<Event>,
    /// Spans that it has to do with, but is not part of.
    pub links: Vec<Link>,
    /// What went wrong, if something did.
    pub error: Option<SpanError>,
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
pub type Attribute = (&'static str, Value);

/// The value of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// Texts.
    Texts(Vec<String>),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Truth(bool),
}

/// Something that happened at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it is called.
    pub name: &'static str,
    /// When.
    pub at: Timestamp,
    /// Facts about it.
    pub attributes: Vec<Attribute>,
}

/// A span that another has to do with.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Its trace.
    pub trace: TraceId,
    /// Its id.
    pub span: SpanId,
    /// Facts about the link.
    pub attributes: Vec<Attribute>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanError {
    /// A short stable name of the kind of failure: `error.type`.
    pub kind: String,
    /// What happened, for a person.
    pub message: String,
}

impl Span {
    /// The value of an attribute, if it has one of this name.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|(of, _)| *of == name).map(|(_, value)| value)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Texts(texts) => f.write_str(&texts.join(", ")),
            Self::Number(number) => number.fmt(f),
            Self::Truth(truth) => truth.fmt(f),
        }
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number))
    }
}
