//! Reading `handler_config` field by field, with messages that name the field.

use std::time::Duration;

use serde_json::{Map, Value};
use tasker_core::{Failure, FailureKind, Outcome};

/// A `handler_config`, or a part of it, to be read field by field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Config<'a> {
    value: &'a Value,
    path: &'static str,
}

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Any,
    Codes,
    Flag,
    Object,
    Seconds,
    Text,
    TextOrTexts,
    Texts,
    Whole,
}

/// A configuration that cannot be used; an attempt made with it fails for good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misconfigured(pub(crate) String);

impl From<Misconfigured> for Outcome {
    fn from(error: Misconfigured) -> Self {
        Self::Fail(Failure::new(FailureKind::Configuration, error.0).with_code("INVALID_CONFIGURATION"))
    }
}

impl<'a> Config<'a> {
    /// The `handler_config` of a step.
    ///
    /// # Errors
    /// If it is neither an object nor null.
    pub(crate) fn of(value: &'a Value) -> Result<Self, Misconfigured> {
        match value {
            Value::Object(_) | Value::Null => Ok(Self { value, path: "handler_config" }),
            other => {
                Err(Misconfigured(format!("handler_config: expected an object, found {}", shown(other))))
            }
        }
    }

    /// An object inside.
    pub(crate) fn inside(self, key: &'static str) -> Result<Option<Self>, Misconfigured> {
        Ok(self.read(key, Shape::Object)?.map(|value| Self { value, path: key }))
    }

    pub(crate) fn value(self, key: &str) -> Option<&'a Value> {
        self.value.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn text(self, key: &str) -> Result<Option<&'a str>, Misconfigured> {
        Ok(self.read(key, Shape::Text)?.and_then(Value::as_str))
    }

    pub(crate) fn required_text(self, key: &str, remedy: &str) -> Result<&'a str, Misconfigured> {
        self.text(key)?.ok_or_else(|| Misconfigured(format!("{}.{key} is missing; {remedy}", self.path)))
    }

    pub(crate) fn flag(self, key: &str) -> Result<Option<bool>, Misconfigured> {
        Ok(self.read(key, Shape::Flag)?.and_then(Value::as_bool))
    }

    pub(crate) fn seconds(self, key: &str) -> Result<Option<Duration>, Misconfigured> {
        let seconds = self.read(key, Shape::Seconds)?.and_then(Value::as_f64);
        Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
    }

    pub(crate) fn whole(self, key: &str) -> Result<Option<u64>, Misconfigured> {
        Ok(self.read(key, Shape::Whole)?.and_then(Value::as_u64))
    }

    pub(crate) fn object(self, key: &str) -> Result<Option<&'a Map<String, Value>>, Misconfigured> {
        Ok(self.read(key, Shape::Object)?.and_then(Value::as_object))
    }

    pub(crate) fn codes(self, key: &str) -> Result<Vec<i64>, Misconfigured> {
        let codes = self.read(key, Shape::Codes)?.and_then(Value::as_array);
        Ok(codes.into_iter().flatten().filter_map(Value::as_i64).collect())
    }

    pub(crate) fn texts(self, key: &str) -> Result<Option<Vec<String>>, Misconfigured> {
        let texts = self.read(key, Shape::Texts)?.and_then(Value::as_array);
        let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(texts.map(|texts| texts.iter().map(written).collect()))
    }

    /// A field that has the shape, or is not there.
    fn read(self, key: &str, shape: Shape) -> Result<Option<&'a Value>, Misconfigured> {
        let Some(value) = self.value(key) else { return Ok(None) };
        if shape.fits(value) {
            return Ok(Some(value));
        }
        let found = match value {
            // A secret may have been inserted into it.
            Value::String(_) => "a text".to_owned(),
            other => shown(other),
        };
        Err(Misconfigured(format!("{}.{key}: expected {}, found {found}", self.path, shape.expected())))
    }

    /// That a field holds something else than it should.
    pub(crate) fn wrong(self, key: &str, expected: &str, found: &Value) -> Misconfigured {
        Misconfigured(format!("{}.{key}: expected {expected}, found {}", self.path, shown(found)))
    }
}

impl Shape {
    pub(crate) fn fits(self, value: &Value) -> bool {
        let all = |each: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(each));
        match self {
            Self::Any => true,
            Self::Codes => all(Value::is_i64),
            Self::Flag => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::Seconds => {
                value.as_f64().is_some_and(|seconds| Duration::try_from_secs_f64(seconds).is_ok())
            }
            Self::Text => value.is_string(),
            Self::TextOrTexts => value.is_string() || Self::Texts.fits(value),
            // A number or a flag is written as it reads: templating keeps the type of a lone expression.
            Self::Texts => all(|value| value.is_string() || value.is_number() || value.is_boolean()),
            Self::Whole => value.is_u64(),
        }
    }

    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Codes => "a list of whole numbers",
            Self::Flag => "true or false",
            Self::Object => "an object",
            Self::Seconds => "a number of seconds, 0 or more",
            Self::Text => "a text",
            Self::TextOrTexts => "a text or a list of texts",
            Self::Texts => "a list of texts",
            Self::Whole => "a whole number, 0 or more",
        }
    }
}

/// A value for a message: what it is and, unless it is long, what it holds.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.chars().count() > 60 => {
            format!("a text of {} characters", text.chars().count())
        }
        Value::String(text) => format!("{text:?}"),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(map) => format!("an object of {}", map.len()),
    }
}
