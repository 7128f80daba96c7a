//! The fields of events and spans, as values.

use std::error::Error;
use std::fmt::Debug;

use serde_json::Value;
use tracing::field::{Field, Visit};

use crate::error::told;

/// Fields in the order in which they were written, each name once.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, Value)>);

impl Fields {
    /// Sets a field; the value that it had is forgotten.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Takes a field away.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Sets fields that are not there, and leaves those that are.
    pub(super) fn complete(&mut self, others: &Self) {
        for (name, value) in &others.0 {
            if !self.0.iter().any(|(known, _)| known == name) {
                self.0.push((name.clone(), value.clone()));
            }
        }
    }

    /// Sets all of `others`.
    pub(super) fn update(&mut self, others: Self) {
        for (name, value) in others.0 {
            self.set(&name, value);
        }
    }
}

impl IntoIterator for Fields {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field.name(), Value::from(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), Value::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let number = serde_json::Number::from_f64(value).map(Value::Number);
        // JSON has no infinities.
        self.set(field.name(), number.unwrap_or_else(|| Value::from(value.to_string())));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field.name(), Value::from(told(value)));
    }
}
