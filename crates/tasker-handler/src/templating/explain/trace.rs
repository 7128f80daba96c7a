//! Names that note what was looked for in them in vain.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Value as Looked;
use minijinja::value::{Enumerator, Object, ObjectRepr, Serde};
use serde_json::Value;

use crate::templating::LANGUAGE;

/// A name that was looked for and is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Walked {
    /// What it was looked for in, as a path.
    pub(super) owner: String,
    /// The name, or `[index]`.
    pub(super) name: String,
    /// The keys that lead to the owner.
    keys: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Name(String),
    Index(usize),
}

/// What was looked for in vain while an expression was evaluated.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace {
    missed: Arc<Mutex<Vec<Walked>>>,
    /// Whether what has no parts is also noted when parts of it are looked for; it can be used for nothing else then.
    wraps_all: bool,
    /// Names that are answered with a text as if they were there.
    granted: Arc<[Walked]>,
}

/// A value in which a name is looked for.
struct Node {
    value: Value,
    path: String,
    keys: Vec<Key>,
    trace: Trace,
}

impl Trace {
    /// One in which all these names are there but for one.
    pub(super) fn with_all_but(names: &[Walked], but: &Walked) -> Self {
        let granted = names.iter().filter(|name| *name != but).cloned();
        Self { granted: granted.collect(), ..Self::default() }
    }

    /// One that also notes what was looked for in texts, numbers and such.
    pub(super) fn of_all() -> Self {
        Self { wraps_all: true, ..Self::default() }
    }

    /// The names that expressions begin with.
    pub(super) fn root(&self, names: &Value) -> Looked {
        Looked::from_object(Node {
            value: names.clone(),
            path: String::new(),
            keys: Vec::new(),
            trace: self.clone(),
        })
    }

    pub(super) fn missed(&self) -> Vec<Walked> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Walked {
    /// What it was looked for in.
    pub(super) fn found<'a>(&self, names: &'a Value) -> Option<&'a Value> {
        self.keys.iter().try_fold(names, |value, key| match key {
            Key::Name(name) => value.get(name),
            Key::Index(index) => value.get(index),
        })
    }
}

/// The path of a name in another.
pub(super) fn joined(owner: &str, name: &str) -> String {
    match owner {
        "" => name.to_owned(),
        _ if name.starts_with('[') => format!("{owner}{name}"),
        _ => format!("{owner}.{name}"),
    }
}

impl Node {
    fn inside(&self, key: Key) -> Option<Looked> {
        let (value, name) = match &key {
            Key::Name(name) => (self.value.get(name), name.clone()),
            Key::Index(index) => (self.value.get(index), format!("[{index}]")),
        };
        let Some(value) = value else { return self.miss(name) };
        if !value.is_object() && !value.is_array() && !self.trace.wraps_all {
            return Some(Looked::from(Serde(value)));
        }
        let (path, value) = (joined(&self.path, &name), value.clone());
        let keys = self.keys.iter().cloned().chain([key]).collect();
        Some(Looked::from_object(Self { value, path, keys, trace: self.trace.clone() }))
    }

    fn miss(&self, name: String) -> Option<Looked> {
        if self.path.is_empty() && LANGUAGE.globals().any(|(global, _)| global == name) {
            return None;
        }
        let walked = Walked { owner: self.path.clone(), name, keys: self.keys.clone() };
        let granted = self.trace.granted.contains(&walked).then(|| Looked::from(""));
        let mut missed = self.trace.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if !missed.contains(&walked) {
            missed.push(walked);
        }
        granted
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl Object for Node {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match &self.value {
            Value::Array(_) => ObjectRepr::Seq,
            Value::Object(_) => ObjectRepr::Map,
            _ => ObjectRepr::Plain,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Looked) -> Option<Looked> {
        match (key.as_str(), key.as_usize()) {
            (Some(name), _) => self.inside(Key::Name(name.to_owned())),
            (None, Some(index)) => self.inside(Key::Index(index)),
            (None, None) => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &self.value {
            Value::Array(list) => Enumerator::Seq(list.len()),
            Value::Object(fields) => {
                Enumerator::Values(fields.keys().map(|name| Looked::from(name.as_str())).collect())
            }
            _ => Enumerator::Empty,
        }
    }
}
