//! Bindings: names of handlers that stand for built-in ones.
//!
//! A file of bindings is a map from `handler_class` to the type of a built-in handler and a configuration, which lies
//! under that of the step:
//!
//! ```yaml
//! "Payments::ChargeCard":
//!   type: http
//!   method: POST
//!   url: https://payments.example.com/charges
//!   headers: { Authorization: "Bearer ${PAYMENTS_TOKEN}" }
//! ```
//!
//! So the templates of the Rails engine run as they are.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value};
use tasker_core::{HandlerName, NameError};

use crate::builtin::BuiltIn;
use crate::config::shown;

/// Names of handlers that stand for built-in ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bindings(pub(crate) BTreeMap<HandlerName, Binding>);

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Binding {
    pub(crate) built_in: BuiltIn,
    /// What lies under the step's own configuration.
    pub(crate) config: Map<String, Value>,
}

/// Why bindings cannot be used. Each message names the binding and what to write instead.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BindingError {
    /// The whole is not a map.
    #[error(
        "bindings: expected a map from handler classes to objects, found {found}; write e.g. \"Orders::Ship\": {{type: http, url: …}}"
    )]
    NotAMap {
        /// What stands there.
        found: String,
    },
    /// A binding is not an object.
    #[error("binding \"{name}\": expected an object, found {found}; write e.g. {{type: http, url: …}}")]
    NotAnObject {
        /// The binding.
        name: String,
        /// What stands there.
        found: String,
    },
    /// A key cannot be the name of a handler.
    #[error("binding \"{name}\": {source}")]
    Name {
        /// The binding.
        name: String,
        /// What is wrong with it.
        #[source]
        source: NameError,
    },
    /// A built-in handler cannot be bound to another.
    #[error("binding \"{name}\": the name belongs to a built-in handler; bind another name")]
    BuiltInName {
        /// The binding.
        name: String,
    },
    /// The type is missing or is none.
    #[error("binding \"{name}\": type: {problem}; write one of {}", BuiltIn::names())]
    Type {
        /// The binding.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A field is not one of its type's.
    #[error("binding \"{name}\": {field}: not a field of type {built_in}; {remedy}")]
    UnknownField {
        /// The binding.
        name: String,
        /// The field.
        field: String,
        /// The type.
        built_in: &'static str,
        /// What to write instead.
        remedy: String,
    },
    /// A field holds something else than it should.
    #[error("binding \"{name}\": {field}: expected {expected}, found {found}")]
    WrongShape {
        /// The binding.
        name: String,
        /// The field.
        field: String,
        /// What the field may hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
}

impl Bindings {
    /// Reads bindings from what a YAML or JSON file holds. Null stands for none.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(value: &Value) -> Result<Self, BindingError> {
        let fields = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(fields) => fields,
            other => return Err(BindingError::NotAMap { found: shown(other) }),
        };
        let bindings = fields.iter().map(|(name, value)| Ok((handler_name(name)?, binding(name, value)?)));
        Ok(Self(bindings.collect::<Result<_, _>>()?))
    }

    /// The names that are bound.
    pub fn names(&self) -> impl Iterator<Item = &HandlerName> {
        self.0.keys()
    }
}

fn handler_name(name: &str) -> Result<HandlerName, BindingError> {
    if BuiltIn::from_str(name).is_ok() {
        return Err(BindingError::BuiltInName { name: name.to_owned() });
    }
    HandlerName::new(name).map_err(|source| BindingError::Name { name: name.to_owned(), source })
}

fn binding(name: &str, value: &Value) -> Result<Binding, BindingError> {
    let Value::Object(fields) = value else {
        return Err(BindingError::NotAnObject { name: name.to_owned(), found: shown(value) });
    };
    let built_in = match fields.get("type") {
        None => Err("it is missing".to_owned()),
        Some(Value::String(text)) => BuiltIn::from_str(text).map_err(|()| format!("unknown type {text:?}")),
        Some(other) => Err(format!("expected a text, found {}", shown(other))),
    };
    let built_in = built_in.map_err(|problem| BindingError::Type { name: name.to_owned(), problem })?;
    let config: Map<String, Value> = fields
        .iter()
        .filter(|(key, _)| *key != "type")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for (field, value) in &config {
        check(name, built_in, field, value)?;
    }
    Ok(Binding { built_in, config })
}

/// Checks a field against those of its type. What will be inserted later may be of any type.
fn check(name: &str, built_in: BuiltIn, field: &str, value: &Value) -> Result<(), BindingError> {
    let (name, fields) = (name.to_owned(), built_in.fields());
    let Some((_, shape)) = fields.iter().find(|(known, _)| *known == field) else {
        let near = fields.iter().map(|(known, _)| (*known, strsim::jaro_winkler(known, field)));
        let near = near.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, likeness)| *likeness > 0.8);
        let known: Vec<&str> = fields.iter().map(|(known, _)| *known).collect();
        let remedy = match near {
            Some((near, _)) => format!("did you mean {near}?"),
            None => format!("its fields are {}", known.join(", ")),
        };
        let built_in = built_in.name();
        return Err(BindingError::UnknownField { name, field: field.to_owned(), built_in, remedy });
    };
    let inserted_later = value.as_str().is_some_and(|text| text.contains("{{") || text.contains("${"));
    if inserted_later || value.is_null() || shape.fits(value) {
        return Ok(());
    }
    Err(BindingError::WrongShape {
        name,
        field: field.to_owned(),
        expected: shape.expected(),
        found: shown(value),
    })
}

/// Fields of variables, parameters and headers. In them null is a value: it takes one away.
const NAMED: [&str; 3] = ["env", "headers", "params"];

/// Lays `over` over `under`: objects are merged field by field, anything else takes the place of what lies under it.
pub(crate) fn laid_over(over: Value, under: Value) -> Value {
    merged(over, under, &NAMED)
}

fn merged(over: Value, under: Value, named: &[&str]) -> Value {
    match (over, under) {
        (Value::Null, under) => under,
        (Value::Object(over), Value::Object(mut under)) => {
            for (key, value) in over {
                let merged = match (under.remove(&key), value) {
                    (Some(Value::Object(mut below)), Value::Object(fields))
                        if named.contains(&key.as_str()) =>
                    {
                        below.extend(fields);
                        Value::Object(below)
                    }
                    (Some(below), value) => merged(value, below, &[]),
                    (None, value) => value,
                };
                under.insert(key, merged);
            }
            Value::Object(under)
        }
        (over, _) => over,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(value: &Value) -> String {
        Bindings::read(value).expect_err("refused").to_string()
    }

    #[test]
    fn a_binding_names_a_type_and_a_configuration() {
        let value =
            json!({ "Payments::ChargeCard": { "type": "api", "url": "https://x", "timeout_seconds": 5 } });
        let bindings = Bindings::read(&value).expect("valid");
        let binding = &bindings.0["Payments::ChargeCard"];
        assert_eq!(binding.built_in, BuiltIn::Http);
        assert_eq!(
            Value::Object(binding.config.clone()),
            json!({ "url": "https://x", "timeout_seconds": 5 })
        );
        assert_eq!(Bindings::read(&Value::Null), Ok(Bindings::default()));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_binding_and_a_remedy() {
        let cases = [
            (
                json!([1]),
                "bindings: expected a map from handler classes to objects, found a list of 1; \
                 write e.g. \"Orders::Ship\": {type: http, url: …}",
            ),
            (
                json!({ "A": "http" }),
                "binding \"A\": expected an object, found \"http\"; write e.g. {type: http, url: …}",
            ),
            (
                json!({ "A": { "url": "x" } }),
                "binding \"A\": type: it is missing; write one of http, api, command, transform, wait, noop",
            ),
            (
                json!({ "A": { "type": "htpp" } }),
                "binding \"A\": type: unknown type \"htpp\"; write one of http, api, command, transform, wait, noop",
            ),
            (
                json!({ "A": { "type": "http", "timeout": 3 } }),
                "binding \"A\": timeout: not a field of type http; did you mean timeout_seconds?",
            ),
            (
                json!({ "A": { "type": "wait", "zzz": 3 } }),
                "binding \"A\": zzz: not a field of type wait; its fields are seconds, duration, until",
            ),
            (
                json!({ "A": { "type": "http", "timeout_seconds": "soon" } }),
                "binding \"A\": timeout_seconds: expected a number of seconds, 0 or more, found \"soon\"",
            ),
            (
                json!({ "noop": { "type": "http" } }),
                "binding \"noop\": the name belongs to a built-in handler; bind another name",
            ),
        ];
        for (value, message) in cases {
            assert_eq!(error(&value), message);
        }
        assert!(error(&json!({ " ": {} })).starts_with("binding \" \": invalid handler class"));
    }

    #[test]
    fn a_list_of_words_may_have_numbers() {
        let value = json!({ "A": { "type": "command", "command": ["sleep", 1] } });
        assert!(Bindings::read(&value).is_ok());
    }

    #[test]
    fn what_is_inserted_later_may_be_of_any_type() {
        let value = json!({ "A": { "type": "http", "timeout_seconds": "{{ context.patience }}" } });
        assert!(Bindings::read(&value).is_ok());
    }

    #[test]
    fn the_step_lies_over_the_binding_field_by_field() {
        let under = json!({ "url": "u", "headers": { "A": "1", "B": "2" }, "list": [1] });
        let over = json!({ "headers": { "B": "3" }, "list": [2] });
        let merged = json!({ "url": "u", "headers": { "A": "1", "B": "3" }, "list": [2] });
        assert_eq!(laid_over(over, under.clone()), merged);
        assert_eq!(laid_over(Value::Null, under.clone()), under);
    }

    #[test]
    fn a_null_takes_away_a_variable_a_header_or_a_parameter_and_nothing_else() {
        let all = |value: Value| json!({ "env": value, "headers": value, "params": value, "ssl": value });
        let merged = laid_over(all(json!({ "A": null, "C": 3 })), all(json!({ "A": 1, "B": 2 })));
        let taken = json!({ "A": null, "B": 2, "C": 3 });
        let kept = json!({ "A": 1, "B": 2, "C": 3 });
        assert_eq!(merged, json!({ "env": taken, "headers": taken, "params": taken, "ssl": kept }));
        for (over, under) in [
            (json!({ "env": null }), json!({ "env": { "A": 1 } })),
            (json!({ "body": { "env": { "A": null } } }), json!({ "body": { "env": { "A": 1 } } })),
        ] {
            assert_eq!(laid_over(over, under.clone()), under);
        }
    }
}
