//! One line of the log: what every form of it says.

use serde_json::Value;
use tasker_core::Timestamp;
use tasker_events::Redaction;
use tracing::Level;

use super::fields::Fields;

/// Names that a line has for itself; a field of that name is written with `field.` before it.
const OWN: [&str; 10] = [
    "timestamp",
    "ts",
    "level",
    "target",
    "message",
    "msg",
    "service",
    "tasker_version",
    "process_id",
    "instance",
];

/// A line has no more fields of its own.
pub(super) const MOST_FIELDS: usize = 256;

/// What is about to be written.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) level: Level,
    /// The part of the program that says it.
    pub(super) target: String,
    pub(super) message: String,
    /// The fields, flat: each name once, and no value is an object.
    pub(super) fields: Vec<(String, Value)>,
}

/// Who writes the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The name of the program.
    pub(crate) service: String,
    /// Its version.
    pub(crate) version: &'static str,
    /// The number of the process on its machine.
    pub(crate) process: u32,
    /// The machine and the process.
    pub(crate) instance: String,
}

impl Line {
    /// A line about something that has these fields, without its secrets.
    pub(super) fn of(
        (at, level): (Timestamp, Level),
        target: &str,
        mut fields: Fields,
        redaction: &Redaction,
    ) -> Self {
        let message = fields.take("message").map(text).unwrap_or_default();
        let target = foreign_target(target, &mut fields);
        let mut flat = Vec::new();
        for (name, mut value) in fields {
            redaction.redact_field(&name, &mut value);
            flatten(name, value, &mut flat);
        }
        Self { at, level, target, message, fields: flat }
    }

    /// The level in small letters.
    pub(super) fn level(&self) -> &'static str {
        match self.level {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        }
    }
}

impl Origin {
    /// The fields that tell of it.
    pub(super) fn fields(&self) -> [(&'static str, Value); 4] {
        [
            ("service", Value::from(self.service.as_str())),
            ("tasker_version", Value::from(self.version)),
            ("process_id", Value::from(self.process)),
            ("instance", Value::from(self.instance.as_str())),
        ]
    }
}

/// A value in words.
pub(super) fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The target; of lines that come by the `log` crate, the one that stands in their fields.
fn foreign_target(target: &str, fields: &mut Fields) -> String {
    let foreign = fields.take("log.target");
    if foreign.is_some() {
        for name in ["log.module_path", "log.file", "log.line"] {
            fields.take(name);
        }
    }
    foreign.map_or_else(|| target.to_owned(), text)
}

/// Objects become fields of their own, with dots in their names.
fn flatten(name: String, value: Value, flat: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(inner) if !inner.is_empty() => {
            for (key, value) in inner {
                flatten(format!("{name}.{key}"), value, flat);
            }
        }
        _ if flat.len() >= MOST_FIELDS => {}
        value => {
            let name = if OWN.contains(&name.as_str()) { format!("field.{name}") } else { name };
            if !flat.iter().any(|(known, _)| *known == name) {
                flat.push((name, value));
            }
        }
    }
}
