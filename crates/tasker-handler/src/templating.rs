//! Inserting values into the texts of a `handler_config`.
//!
//! `{{ … }}` holds an expression of the template language of minijinja over `context`, `steps`, `task` and `step`; a
//! text that is nothing but one expression becomes the value itself, of whatever type. `${NAME}` is a variable of
//! the worker's environment, if it is exposed; `$${` stands for `${`. There are no statements and no comments, and
//! what is inserted is not looked at again. An undefined name is an error that says which and where.
//!
//! A [`Recipe`] is made once for a step of a template, and rendered for every attempt.

mod explain;
mod scan;

use std::sync::{Arc, LazyLock};

use minijinja::value::Serde;
use minijinja::{Environment, Expression, UndefinedBehavior};
use serde_json::{Map, Value, json};
use tasker_core::{LeaseKey, StepName};

use crate::config::Misconfigured;
use crate::context::Blueprint;
use crate::surroundings::Surroundings;
use scan::Piece;

static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
});

/// A `handler_config` whose texts have been read.
#[derive(Debug)]
pub(crate) enum Recipe {
    /// There is nothing to insert.
    Fixed(Arc<Value>),
    /// Something is inserted for every attempt.
    Rendered {
        /// Whether that needs the context or the results of other steps.
        wants_inputs: bool,
        /// How.
        node: Node,
    },
}

#[derive(Debug)]
pub(crate) enum Node {
    Fixed(Value),
    Text(Vec<Part>, Place),
    One(Insertion, Place),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug)]
pub(crate) enum Part {
    Literal(String),
    Insertion(Insertion),
}

/// An expression, and its text for messages.
pub(crate) struct Insertion {
    source: String,
    expression: Expression<'static, 'static>,
}

impl std::fmt::Debug for Insertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{{{ {} }}}}", self.source)
    }
}

/// Where a text stands, such as `handler_config.headers.Authorization`.
type Place = String;

/// What expressions can name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) key: LeaseKey,
    pub(crate) retry_limit: u32,
    pub(crate) blueprint: &'a Blueprint,
    pub(crate) context: &'a Value,
    pub(crate) dependencies: &'a [(StepName, Value)],
}

impl Recipe {
    /// Reads all texts of a configuration, but for the fields that are taken as they are.
    pub(crate) fn read(
        config: Value,
        takes_verbatim: impl Fn(&str, &Value) -> bool,
        surroundings: &Surroundings,
    ) -> Result<Self, Misconfigured> {
        let mut reader = Reader { surroundings, wants_inputs: false };
        let place = "handler_config".to_owned();
        let node = match config {
            Value::Object(fields) => {
                let nodes = fields.into_iter().map(|(key, value)| {
                    let verbatim = takes_verbatim(&key, &value);
                    let node = if verbatim {
                        Node::Fixed(value)
                    } else {
                        reader.node(value, field(&place, &key))?
                    };
                    Ok((key, node))
                });
                Node::object(nodes.collect::<Result<_, _>>()?)
            }
            other => reader.node(other, place)?,
        };
        Ok(match node {
            Node::Fixed(value) => Self::Fixed(Arc::new(value)),
            node => Self::Rendered { wants_inputs: reader.wants_inputs, node },
        })
    }

    /// Whether rendering needs the context or the results of other steps.
    pub(crate) fn wants_inputs(&self) -> bool {
        matches!(self, Self::Rendered { wants_inputs: true, .. })
    }

    /// The configuration of one attempt.
    pub(crate) fn render(&self, scope: Scope<'_>) -> Result<Arc<Value>, Misconfigured> {
        match self {
            Self::Fixed(value) => Ok(Arc::clone(value)),
            Self::Rendered { node, .. } => {
                let names = scope.names();
                Ok(Arc::new(node.render(&minijinja::Value::from(Serde(&names)), &names)?))
            }
        }
    }
}

impl Scope<'_> {
    /// Everything that can be named.
    fn names(&self) -> Value {
        let steps = self.dependencies.iter().map(|(name, results)| (name.to_string(), results.clone()));
        json!({
            "context": self.context,
            "steps": steps.collect::<Map<_, _>>(),
            "task": {
                "id": self.key.step.task(),
                "namespace": self.blueprint.namespace,
                "name": self.blueprint.task_name,
                "version": self.blueprint.version,
            },
            "step": {
                "id": self.key.step,
                "name": self.blueprint.step,
                "attempt": self.key.attempt,
                "retry_limit": self.retry_limit,
                "idempotency_key": self.key.step,
            },
        })
    }
}

struct Reader<'a> {
    surroundings: &'a Surroundings,
    wants_inputs: bool,
}

impl Reader<'_> {
    fn node(&mut self, value: Value, place: Place) -> Result<Node, Misconfigured> {
        match value {
            Value::String(text) => self.text(text, place),
            Value::Array(list) => {
                let nodes = list.into_iter().enumerate();
                let nodes = nodes.map(|(index, value)| self.node(value, format!("{place}[{index}]")));
                Ok(Node::list(nodes.collect::<Result<_, _>>()?))
            }
            Value::Object(fields) => {
                let nodes = fields.into_iter().map(|(key, value)| {
                    let node = self.node(value, field(&place, &key))?;
                    Ok((key, node))
                });
                Ok(Node::object(nodes.collect::<Result<_, _>>()?))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Node::Fixed(value)),
        }
    }

    fn text(&mut self, text: String, place: Place) -> Result<Node, Misconfigured> {
        if !scan::may_insert(&text) {
            return Ok(Node::Fixed(Value::String(text)));
        }
        let pieces = scan::pieces(&text).map_err(|error| Misconfigured(format!("{place}: {error}")))?;
        let mut parts: Vec<Part> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let literal = match piece {
                Piece::Literal(text) => text,
                Piece::Variable(name) => {
                    let value = self.surroundings.exposed(name);
                    value.map_err(|error| Misconfigured(format!("{place}: {error}")))?
                }
                Piece::Expression(source) => {
                    parts.push(Part::Insertion(self.insertion(source, &place)?));
                    continue;
                }
            };
            match parts.last_mut() {
                Some(Part::Literal(before)) => before.push_str(literal),
                _ => parts.push(Part::Literal(literal.to_owned())),
            }
        }
        Ok(match parts.as_mut_slice() {
            [] => Node::Fixed(Value::String(String::new())),
            [Part::Literal(text)] => Node::Fixed(Value::String(std::mem::take(text))),
            [Part::Insertion(_)] => match parts.pop() {
                Some(Part::Insertion(insertion)) => Node::One(insertion, place),
                _ => Node::Text(parts, place),
            },
            _ => Node::Text(parts, place),
        })
    }

    fn insertion(&mut self, source: &str, place: &str) -> Result<Insertion, Misconfigured> {
        let expression = LANGUAGE.compile_expression_owned(source.to_owned()).map_err(|error| {
            let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            Misconfigured(format!("{place}: {{{{ {source} }}}} cannot be read: {reason}"))
        })?;
        let names = expression.undeclared_variables(false);
        self.wants_inputs |= names.contains("context") || names.contains("steps");
        Ok(Insertion { source: source.to_owned(), expression })
    }
}

impl Node {
    fn list(nodes: Vec<Self>) -> Self {
        if nodes.iter().all(Self::is_fixed) {
            return Self::Fixed(nodes.into_iter().filter_map(Self::fixed).collect());
        }
        Self::List(nodes)
    }

    fn object(fields: Vec<(String, Self)>) -> Self {
        if fields.iter().all(|(_, node)| node.is_fixed()) {
            let fields = fields.into_iter().filter_map(|(key, node)| Some((key, node.fixed()?)));
            return Self::Fixed(Value::Object(fields.collect()));
        }
        Self::Object(fields)
    }

    fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    fn fixed(self) -> Option<Value> {
        match self {
            Self::Fixed(value) => Some(value),
            Self::Text(..) | Self::One(..) | Self::List(_) | Self::Object(_) => None,
        }
    }

    fn render(&self, scope: &minijinja::Value, names: &Value) -> Result<Value, Misconfigured> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::One(insertion, place) => insertion.render(scope, names, place),
            Self::Text(parts, place) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        Part::Insertion(insertion) => match insertion.render(scope, names, place)? {
                            Value::String(value) => text.push_str(&value),
                            other => text.push_str(&other.to_string()),
                        },
                    }
                }
                Ok(Value::String(text))
            }
            Self::List(nodes) => nodes.iter().map(|node| node.render(scope, names)).collect(),
            Self::Object(fields) => {
                let fields = fields.iter().map(|(key, node)| Ok((key.clone(), node.render(scope, names)?)));
                Ok(Value::Object(fields.collect::<Result<_, _>>()?))
            }
        }
    }
}

impl Insertion {
    fn render(&self, scope: &minijinja::Value, names: &Value, place: &str) -> Result<Value, Misconfigured> {
        let explained = |reason| Misconfigured(format!("{place}: {{{{ {} }}}}: {reason}", self.source));
        let value = match self.expression.eval(scope) {
            Ok(value) if !value.is_undefined() => value,
            Ok(_) => return Err(explained(explain::undefined(&self.expression, None, names))),
            Err(error) => return Err(explained(explain::undefined(&self.expression, Some(&error), names))),
        };
        serde_json::to_value(&value).map_err(|error| explained(format!("the value is not JSON: {error}")))
    }
}

fn field(place: &str, key: &str) -> Place {
    format!("{place}.{key}")
}

#[cfg(test)]
mod tests;
