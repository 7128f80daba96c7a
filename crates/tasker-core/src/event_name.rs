//! The names of events that handlers emit themselves.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A name is no longer than so many characters.
const LONGEST: usize = 128;

/// The name of an event that a handler emits, such as `order.fulfilled`: words of letters, digits, `-` and `_` with
/// dots between them, of which the first is none of [`EventName::RESERVED`]. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName(Arc<str>);

/// Why a text is not the name of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventNameError {
    /// There is no dot in it.
    #[error("event {0:?} must contain a namespace: write it as area.fact, such as order.fulfilled")]
    NoNamespace(String),
    /// It begins like those of Tasker.
    #[error(
        "event {name:?} uses the reserved namespace {namespace:?}: choose another, such as the name of your area"
    )]
    Reserved {
        /// The name.
        name: String,
        /// What it begins with.
        namespace: String,
    },
    /// It is not made of words.
    #[error(
        "event {0:?} is no name: write at most 128 letters, digits, - and _, in words with dots between them"
    )]
    Malformed(String),
}

impl EventName {
    /// Beginnings of names that are Tasker's own.
    pub const RESERVED: &[&str] = &[
        "command",
        "custom",
        "database",
        "health",
        "lease",
        "log",
        "metrics",
        "namespace",
        "observability",
        "performance",
        "process",
        "route",
        "step",
        "subscriber",
        "task",
        "template",
        "test",
        "traces",
        "worker",
        "workflow",
    ];

    /// The name as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventName {
    type Err = EventNameError;

    fn from_str(text: &str) -> Result<Self, EventNameError> {
        let Some((namespace, _)) = text.split_once('.') else {
            return Err(EventNameError::NoNamespace(text.to_owned()));
        };
        if Self::RESERVED.contains(&namespace) {
            let (name, namespace) = (text.to_owned(), namespace.to_owned());
            return Err(EventNameError::Reserved { name, namespace });
        }
        if text.len() > LONGEST || !text.split('.').all(is_word) {
            return Err(EventNameError::Malformed(text.to_owned()));
        }
        Ok(Self(Arc::from(text)))
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|each| each.is_ascii_alphanumeric() || each == '-' || each == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> String {
        name.parse::<EventName>().expect_err("refused").to_string()
    }

    /// V1.
    #[test]
    fn a_name_is_words_with_dots_between_them() {
        for name in ["order.fulfilled", "a.b", "Shop-1.order_2.sent", "tasks.done"] {
            assert_eq!(name.parse::<EventName>().expect("a name").as_str(), name);
        }
        for name in ["order..x", ".x", "order.", "order.full filled", &format!("o.{}", "x".repeat(200))] {
            assert!(refusal(name).contains("is no name"), "{name}");
        }
    }

    /// V2, V4.
    #[test]
    fn a_name_has_a_namespace_and_not_one_of_ours() {
        assert!(refusal("invalid_event_name").contains("must contain a namespace"));
        for namespace in EventName::RESERVED {
            assert!(refusal(&format!("{namespace}.x")).contains("reserved namespace"), "{namespace}");
        }
    }
}
