//! Events that handlers emit themselves.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use tasker_core::Timestamp;

use crate::catalog::EventId;

/// Beginnings of names that are Tasker's own, besides those in its catalog.
const RESERVED: [&str; 6] = ["task", "step", "workflow", "observability", "test", "custom"];
/// A name is no longer than so many characters.
const LONGEST: usize = 128;

/// An event that handlers emit, as it was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomEventInfo {
    /// The name, such as `order.fulfilled`.
    pub name: String,
    /// When it fires.
    pub description: String,
    /// The handlers that emit it.
    pub fired_by: Vec<String>,
    /// Since when it is known.
    pub registered_at: Timestamp,
}

/// Why a name cannot be that of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomEventError {
    /// There is no dot in it.
    #[error("event {0:?} must contain a namespace: write it as area.fact, such as order.fulfilled")]
    NoNamespace(String),
    /// It is a name of the catalog.
    #[error("event {0:?} conflicts with system event of that name: choose another name")]
    System(String),
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
    /// Nobody registered it.
    #[error(
        "event {0:?} is not registered: list it under custom_events of the template, or register it in code"
    )]
    Unknown(String),
}

/// The events that handlers may emit. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct CustomEvents(Arc<RwLock<BTreeMap<String, CustomEventInfo>>>);

impl CustomEvents {
    /// Registers an event. One that is known keeps when it was first registered, and is said to be fired by all that
    /// were ever named; the latest description counts. Says whether it was new.
    ///
    /// # Errors
    ///
    /// If it cannot be the name of one.
    pub fn register(
        &self,
        name: &str,
        description: &str,
        fired_by: &[String],
        now: Timestamp,
    ) -> Result<bool, CustomEventError> {
        check(name)?;
        let mut events = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = !events.contains_key(name);
        let event = events.entry(name.to_owned()).or_insert_with(|| CustomEventInfo {
            name: name.to_owned(),
            description: String::new(),
            fired_by: Vec::new(),
            registered_at: now,
        });
        if is_new || !description.is_empty() {
            description.clone_into(&mut event.description);
        }
        for handler in fired_by {
            if !event.fired_by.contains(handler) {
                event.fired_by.push(handler.clone());
            }
        }
        Ok(is_new)
    }

    /// Whether an event is registered.
    pub fn is_known(&self, name: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// Those that are registered, by name.
    pub fn list(&self) -> Vec<CustomEventInfo> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

fn check(name: &str) -> Result<(), CustomEventError> {
    let Some((namespace, _)) = name.split_once('.') else {
        return Err(CustomEventError::NoNamespace(name.to_owned()));
    };
    if name.parse::<EventId>().is_ok() {
        return Err(CustomEventError::System(name.to_owned()));
    }
    let is_ours = |event: &EventId| event.name().split('.').next() == Some(namespace);
    if RESERVED.contains(&namespace) || EventId::ALL.iter().any(is_ours) {
        let (name, namespace) = (name.to_owned(), namespace.to_owned());
        return Err(CustomEventError::Reserved { name, namespace });
    }
    let is_word = |word: &str| {
        let mut characters = word.chars();
        !word.is_empty() && characters.all(|each| each.is_ascii_alphanumeric() || each == '-' || each == '_')
    };
    if name.len() > LONGEST || !name.split('.').all(is_word) {
        return Err(CustomEventError::Malformed(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(7);

    fn refusal(name: &str) -> String {
        CustomEvents::default().register(name, "", &[], NOW).expect_err("refused").to_string()
    }

    /// V1.
    #[test]
    fn an_event_is_listed_with_what_was_said_of_it() {
        let events = CustomEvents::default();
        let fired_by = ["Fulfil".to_owned()];
        assert_eq!(events.register("order.fulfilled", "All is sent.", &fired_by, NOW), Ok(true));
        let mut listed = events.list();
        assert_eq!(
            serde_json::to_value(&listed[0]).expect("JSON"),
            serde_json::json!({
                "name": "order.fulfilled", "description": "All is sent.", "fired_by": ["Fulfil"],
                "registered_at": "1970-01-01T00:00:00.000007Z",
            })
        );
        listed.clear();
        assert!(events.is_known("order.fulfilled"));
        assert_eq!(events.list().len(), 1);
    }

    /// V2, V3, V4.
    #[test]
    fn names_of_tasker_and_names_that_are_none_are_refused() {
        assert!(refusal("invalid_event_name").contains("must contain a namespace"));
        assert!(refusal("task.completed").contains("conflicts with system event"));
        for name in ["task.x", "step.x", "workflow.x", "observability.x", "test.x", "lease.x", "custom.x"] {
            assert!(refusal(name).contains("reserved namespace"), "{name}");
        }
        for name in ["order..x", ".x", "order.", "order.full filled", &format!("o.{}", "x".repeat(200))] {
            assert!(refusal(name).contains("is no name"), "{name}");
        }
    }

    /// V5: that a name is no text cannot be said in Rust; in a template it is an error of its own.
    #[test]
    fn an_event_that_is_registered_again_stays_one() {
        let events = CustomEvents::default();
        let (one, other) = (["A".to_owned()], ["B".to_owned()]);
        assert_eq!(events.register("order.fulfilled", "first", &one, NOW), Ok(true));
        let later = Timestamp::from_micros(9);
        assert_eq!(events.register("order.fulfilled", "second", &other, later), Ok(false));
        let listed = events.list();
        assert_eq!((listed.len(), listed[0].registered_at), (1, NOW));
        assert_eq!((&*listed[0].description, listed[0].fired_by.len()), ("second", 2));
    }
}
