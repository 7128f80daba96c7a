//! The JSON Schema of a task's context: checked when the template is read, applied to each submission.
//!
//! Standard semantics: the draft is that of `$schema`, or 2020-12; only what `required` names is required,
//! and undeclared properties are allowed unless `additionalProperties` says otherwise. (The Rails engine
//! validated in a strict mode in which every declared property was required and no other was allowed.)
//! `default` values are filled in before validation and become part of the stored context. References
//! reach only what lies in the schema itself: nothing is ever fetched.

use std::fmt;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ReferencingError, ValidationError, Validator};
use serde::Serialize;
use serde_json::Value;

mod defaults;
mod problems;

/// A schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON Schema at {}: {message}; {remedy}", place(pointer))]
pub struct SchemaError {
    /// Where in the schema, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// One thing that is wrong with a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextProblem {
    /// Where in the context, as a JSON Pointer (RFC 6901); empty for the whole.
    pub path: String,
    /// What is wrong. Holds no value of the context, which may be secret.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl fmt::Display for ContextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "context{}: {}", self.path, self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

/// A compiled schema.
#[derive(Debug)]
pub struct ContextSchema {
    schema: Value,
    validator: Validator,
}

impl ContextSchema {
    /// Checks `schema` and compiles it.
    ///
    /// # Errors
    /// [`SchemaError`] when it is no valid JSON Schema, or refers to something outside itself, or its
    /// defaults nest without end.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        check_draft(schema)?;
        let validator =
            jsonschema::options().offline().build(schema).map_err(|error| schema_error(&error))?;
        let mut empty = Value::Object(serde_json::Map::new());
        match defaults::insert(schema, &mut empty) {
            Ok(()) => Ok(Self { schema: schema.clone(), validator }),
            Err(endless) => Err(SchemaError {
                pointer: String::new(),
                message: endless.message,
                remedy: endless.remedy.unwrap_or_default(),
            }),
        }
    }

    /// The schema as it was given.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Fills in the defaults, validates, and returns what is to be stored.
    ///
    /// # Errors
    /// Every problem found, in the order of the schema.
    pub fn apply(&self, context: Value) -> Result<Value, Vec<ContextProblem>> {
        let mut context = context;
        defaults::insert(&self.schema, &mut context).map_err(|problem| vec![problem])?;
        let problems: Vec<ContextProblem> =
            self.validator.iter_errors(&context).map(|error| problems::describe(&error)).collect();
        if problems.is_empty() { Ok(context) } else { Err(problems) }
    }
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "its top" } else { pointer }
}

fn check_draft(schema: &Value) -> Result<(), SchemaError> {
    match Draft::default().detect(schema) {
        Draft::Draft4 | Draft::Draft6 | Draft::Draft7 | Draft::Draft201909 | Draft::Draft202012 => Ok(()),
        _ => Err(SchemaError {
            pointer: "/$schema".to_owned(),
            message: format!("the draft {} is not known", schema["$schema"]),
            remedy: "use \"https://json-schema.org/draft/2020-12/schema\", or leave it out".to_owned(),
        }),
    }
}

fn schema_error(error: &ValidationError<'_>) -> SchemaError {
    let pointer = error.instance_path().to_string();
    let (message, remedy) = match error.kind() {
        ValidationErrorKind::Referencing(reference) => return reference_error(pointer, reference),
        _ if pointer.ends_with("/type") => (
            format!("{} is no type", error.instance()),
            "write string, number, integer, boolean, object, array or null, or a list of these",
        ),
        _ => (
            error.to_string(),
            "see https://json-schema.org/understanding-json-schema for what is allowed there",
        ),
    };
    SchemaError { pointer, message, remedy: remedy.to_owned() }
}

fn reference_error(pointer: String, error: &ReferencingError) -> SchemaError {
    let (message, remedy) = match error {
        ReferencingError::Unretrievable { uri, .. } => (
            format!("it refers to {uri:?}, and nothing outside the schema is ever fetched"),
            "copy that definition under \"$defs\" and refer to it as \"#/$defs/NAME\"",
        ),
        other => (other.to_string(), "correct the reference, or add what it refers to under \"$defs\""),
    };
    SchemaError { pointer, message, remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests;
