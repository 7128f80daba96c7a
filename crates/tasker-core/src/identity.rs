//! When two submissions are the same task.
//!
//! The time is not part of the hash: the store compares the hash with those of tasks requested within the
//! window before, so that no boundary of a clock minute lets a duplicate through or stops a new task.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::canonical::{canonical_digest, hex};
use crate::name::{Namespace, StepName, TaskName, shortened};
use crate::version::Version;

/// How the identity of a task is found. In settings: `default`, or `hash` with `window_seconds`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "strategy", rename_all = "snake_case", deny_unknown_fields)]
pub enum IdentityStrategy {
    /// Every submission is a task of its own.
    #[default]
    Default,
    /// An equal submission within the window is a duplicate.
    Hash {
        /// How many seconds after a task was requested an equal one is a duplicate of it.
        #[serde(default = "default_window_seconds")]
        window_seconds: u32,
    },
    /// The key given with the submission. Never a setting.
    #[serde(skip)]
    Key(IdentityKey),
}

/// A key that the submitter chose: no two tasks ever bear the same. 1 to 128 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdentityKey(String);

/// A text that cannot be an identity key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid identity key {value:?}: write 1 to 128 characters, none of them a control character")]
pub struct IdentityKeyError {
    /// The text, shortened to 40 characters.
    pub value: String,
}

/// What is done with a submission that equals an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// The earlier task is returned as if it had just been created.
    ReturnExisting,
    /// The submission is refused.
    #[default]
    Refuse,
}

/// What makes one submission equal to another.
#[derive(Debug, Clone, Copy)]
pub struct IdentityFacts<'a> {
    /// The namespace of the template.
    pub namespace: &'a Namespace,
    /// The name of the template.
    pub name: &'a TaskName,
    /// The version of the template.
    pub version: &'a Version,
    /// Who asked.
    pub initiator: &'a str,
    /// From which system.
    pub source_system: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The context as it is stored, defaults included.
    pub context: &'a Value,
    /// The steps to be left out.
    pub bypass_steps: &'a [StepName],
}

/// The identity of one submission.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The text to compare: at most 128 characters.
    pub hash: String,
    /// Among which tasks it must be the only one.
    pub uniqueness: Uniqueness,
}

/// Among which tasks an identity must be the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Uniqueness {
    /// Nothing need be compared: the identity is random.
    Random,
    /// Among the tasks requested within this time before.
    Within(Duration),
    /// Among all tasks.
    Forever,
}

impl IdentityStrategy {
    /// The identity of a submission; `random` is a fresh UUID of the caller's.
    pub fn identity(&self, facts: &IdentityFacts<'_>, random: Uuid) -> Identity {
        match self {
            Self::Default => Identity { hash: random.to_string(), uniqueness: Uniqueness::Random },
            Self::Hash { window_seconds } => Identity {
                hash: facts.hash(),
                uniqueness: Uniqueness::Within(Duration::from_secs(u64::from(*window_seconds))),
            },
            Self::Key(key) => Identity { hash: key.0.clone(), uniqueness: Uniqueness::Forever },
        }
    }
}

impl IdentityKey {
    /// The longest key, in characters.
    pub const MAX_CHARS: usize = 128;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdentityKey {
    type Error = IdentityKeyError;

    fn try_from(text: String) -> Result<Self, IdentityKeyError> {
        let is_valid = !text.trim().is_empty()
            && text.chars().count() <= Self::MAX_CHARS
            && !text.chars().any(char::is_control);
        if is_valid { Ok(Self(text)) } else { Err(IdentityKeyError { value: shortened(&text) }) }
    }
}

impl From<IdentityKey> for String {
    fn from(key: IdentityKey) -> Self {
        key.0
    }
}

impl IdentityFacts<'_> {
    /// SHA-256, in 64 hexadecimal digits, of the canonical JSON of these facts.
    pub fn hash(&self) -> String {
        hex(&canonical_digest(&json!({
            "namespace": self.namespace,
            "name": self.name,
            "version": self.version,
            "initiator": self.initiator,
            "source_system": self.source_system,
            "reason": self.reason,
            "context": self.context,
            "bypass_steps": self.bypass_steps,
        })))
    }
}

fn default_window_seconds() -> u32 {
    60
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_facts<T>(version: &Version, context: &Value, read: impl FnOnce(&IdentityFacts<'_>) -> T) -> T {
        let (namespace, name) = (Namespace::default(), TaskName::new("orders").expect("valid"));
        read(&IdentityFacts {
            namespace: &namespace,
            name: &name,
            version,
            initiator: "pete@test",
            source_system: "test",
            reason: "basic test",
            context,
            bypass_steps: &[],
        })
    }

    fn hash(version: &Version, context: &str) -> String {
        let context = serde_json::from_str(context).expect("valid JSON");
        with_facts(version, &context, |facts: &IdentityFacts<'_>| facts.hash())
    }

    #[test]
    fn the_hash_is_64_hexadecimal_digits() {
        let hash = hash(&Version::default(), "{}");
        assert_eq!(hash.len(), 64);
        assert!(hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    }

    #[test]
    fn the_order_of_keys_and_the_notation_of_numbers_do_not_matter() {
        let version = Version::default();
        let one = hash(&version, r#"{"a": {"x": 1, "y": 2.50}, "b": [1]}"#);
        assert_eq!(one, hash(&version, r#"{"b": [1.0], "a": {"y": 2.5, "x": 1}}"#));
        assert_ne!(one, hash(&version, r#"{"b": ["1"], "a": {"y": 2.5, "x": 1}}"#));
    }

    #[test]
    fn versions_of_one_template_do_not_collide() {
        assert_ne!(hash(&Version::new(1, 0, 0), "{}"), hash(&Version::new(2, 0, 0), "{}"));
    }

    #[test]
    fn each_strategy_says_among_which_tasks_it_is_unique() {
        let random = Uuid::from_u128(7);
        let key = IdentityKey::try_from("order-1".to_owned()).expect("valid");
        let hash = IdentityStrategy::Hash { window_seconds: 60 };
        let identity = |strategy: &IdentityStrategy| {
            with_facts(&Version::default(), &json!({}), |facts| strategy.identity(facts, random))
        };
        assert_eq!(identity(&IdentityStrategy::Default).hash, random.to_string());
        assert_eq!(identity(&IdentityStrategy::Default).uniqueness, Uniqueness::Random);
        assert_eq!(identity(&hash).uniqueness, Uniqueness::Within(Duration::from_mins(1)));
        let keyed = identity(&IdentityStrategy::Key(key));
        assert_eq!((keyed.hash.as_str(), keyed.uniqueness), ("order-1", Uniqueness::Forever));
    }

    #[test]
    fn a_key_has_1_to_128_characters() {
        assert!(IdentityKey::try_from("k".repeat(128)).is_ok());
        for text in ["", " ", "a\nb", &"k".repeat(129)] {
            assert!(IdentityKey::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_strategy_is_read_from_settings() {
        let read = |json: &str| serde_json::from_str::<IdentityStrategy>(json);
        let hash = read(r#"{"strategy": "hash"}"#).expect("valid");
        assert_eq!(hash, IdentityStrategy::Hash { window_seconds: 60 });
        assert!(read(r#"{"strategy": "custom"}"#).is_err());
        assert!(read(r#"{"strategy": "key"}"#).is_err());
    }
}
