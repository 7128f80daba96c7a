//! Words for what a validator found, without the values it looked at.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::ContextProblem;

pub(super) fn describe(error: &ValidationError<'_>) -> ContextProblem {
    let (message, remedy) = words(error);
    ContextProblem { path: error.instance_path().to_string(), message, remedy }
}

fn words(error: &ValidationError<'_>) -> (String, Option<String>) {
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            (format!("the property {name:?} is missing"), Some(format!("add {name:?}")))
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let names: Vec<String> = unexpected.iter().map(|name| format!("{name:?}")).collect();
            let names = names.join(", ");
            (format!("undeclared properties are not allowed, found {names}"), Some(format!("remove {names}")))
        }
        ValidationErrorKind::Type { kind } => {
            let expected = type_names(kind);
            (format!("expected {expected}, found {}", type_of(error.instance())), None)
        }
        ValidationErrorKind::Enum { options } => {
            ("the value is not one of those allowed".to_owned(), Some(format!("use one of {options}")))
        }
        ValidationErrorKind::Constant { expected_value } => {
            ("the value is not the one allowed".to_owned(), Some(format!("use {expected_value}")))
        }
        _ => (error.masked_with("the value").to_string(), None),
    }
}

fn type_names(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(name) => name.to_string(),
        TypeKind::Multiple(names) => {
            let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            names.join(" or ")
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
