//! The names people give: namespaces, tasks, steps, handlers and queues.
//!
//! Each kind is its own type, checked where it enters and never again. All are cheap to clone.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that cannot be used as a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind} {value:?}: {reason}")]
pub struct NameError {
    /// What the name was for: `namespace`, `task name`, `step name`, `handler class` or `queue`.
    pub kind: &'static str,
    /// The text, shortened to 40 characters.
    pub value: String,
    /// What is wrong with it, and what to do instead.
    pub reason: String,
}

struct Rule {
    kind: &'static str,
    max_chars: usize,
    forbidden: &'static [(char, &'static str)],
}

const AT: (char, &str) = ('@', "it contains \"@\", which separates a name from its version; leave it out");
const DOT: (char, &str) =
    ('.', "it contains \".\", which separates a namespace from a name; use \"_\" or \"-\"");

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            const RULE: Rule = $rule;

            /// Checks `text` and takes it as a name.
            ///
            /// # Errors
            /// [`NameError`] when it is blank, too long, or holds a character that names may not hold.
            pub fn new(text: &str) -> Result<Self, NameError> {
                Self::RULE.check(text)?;
                Ok(Self(Arc::from(text)))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = NameError;

            fn try_from(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// Groups templates, tasks, limits and permissions. At most 64 characters, case-sensitive, no `.`.
    Namespace, Rule { kind: "namespace", max_chars: 64, forbidden: &[AT, DOT] }
}

name! {
    /// The name of a task template, unique in its namespace together with the version. At most 64 characters.
    TaskName, Rule { kind: "task name", max_chars: 64, forbidden: &[AT] }
}

name! {
    /// The name of a step, unique in its template. At most 128 characters.
    StepName, Rule { kind: "step name", max_chars: 128, forbidden: &[AT] }
}

name! {
    /// The name under which a handler is registered, such as `http` or `Payments::ChargeCard`.
    /// At most 255 characters.
    HandlerName, Rule { kind: "handler class", max_chars: 255, forbidden: &[AT] }
}

name! {
    /// The queue that a step's work waits in; workers choose which queues they serve. At most 64 characters.
    QueueName, Rule { kind: "queue", max_chars: 64, forbidden: &[AT] }
}

impl Default for Namespace {
    fn default() -> Self {
        Self(Arc::from("default"))
    }
}

impl Default for QueueName {
    fn default() -> Self {
        Self(Arc::from("default"))
    }
}

impl Rule {
    fn check(&self, text: &str) -> Result<(), NameError> {
        match self.reason_against(text) {
            None => Ok(()),
            Some(reason) => Err(NameError { kind: self.kind, value: shortened(text), reason }),
        }
    }

    fn reason_against(&self, text: &str) -> Option<String> {
        if text.trim().is_empty() {
            return Some("it is blank; give at least one visible character".to_owned());
        }
        if text.trim() != text {
            return Some("it begins or ends with white space; remove it".to_owned());
        }
        let chars = text.chars().count();
        if chars > self.max_chars {
            return Some(format!("it has {chars} characters; use at most {}", self.max_chars));
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Some(format!("it contains the control character {control:?}; remove it"));
        }
        let hit = self.forbidden.iter().find(|(c, _)| text.contains(*c));
        hit.map(|(_, reason)| (*reason).to_owned())
    }
}

/// The beginning of `text`, for messages: at most 40 characters.
pub(crate) fn shortened(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    match text.char_indices().nth(MAX_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_holds_64_characters_but_not_65() {
        assert!(Namespace::new(&"é".repeat(64)).is_ok());
        let error = Namespace::new(&"n".repeat(65)).expect_err("too long");
        insta::assert_snapshot!(error, @r#"invalid namespace "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…": it has 65 characters; use at most 64"#);
    }

    #[test]
    fn a_blank_name_is_refused() {
        for text in ["", " ", "\t\n"] {
            assert!(Namespace::new(text).is_err(), "{text:?}");
            assert!(StepName::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_differ_by_case() {
        assert_ne!(Namespace::new("Default").expect("valid"), Namespace::default());
        assert_eq!(Namespace::default(), "default");
    }

    #[test]
    fn a_name_holds_no_at_sign_no_control_character_and_no_outer_space() {
        for text in ["a@b", "a\nb", "a\u{7f}b", " a", "a ", "\u{a0}a"] {
            assert!(TaskName::new(text).is_err(), "{text:?}");
        }
        assert!(TaskName::new("process an order").is_ok());
    }

    #[test]
    fn only_a_namespace_is_refused_a_dot() {
        assert!(Namespace::new("a.b").is_err());
        assert!(TaskName::new("a.b").is_ok());
    }

    #[test]
    fn a_handler_class_may_be_a_ruby_constant() {
        let name = HandlerName::new("Payments::ChargeCard").expect("valid");
        assert_eq!(name.to_string(), "Payments::ChargeCard");
    }

    #[test]
    fn a_name_is_checked_when_it_is_deserialized() {
        let name: QueueName = serde_json::from_str("\"bulk\"").expect("valid");
        assert_eq!(serde_json::to_string(&name).expect("text"), "\"bulk\"");
        assert!(serde_json::from_str::<QueueName>("\" bulk\"").is_err());
    }
}
