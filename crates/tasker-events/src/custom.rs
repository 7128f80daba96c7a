//! Events that handlers emit themselves.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use tasker_core::{CustomEvent, EventName, EventNameError, TaskTemplate, Timestamp};

use crate::catalog::EventId;

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
    /// It cannot be the name of one.
    #[error(transparent)]
    Name(#[from] EventNameError),
    /// It is a name of the catalog.
    #[error("event {0:?} conflicts with system event of that name: choose another name")]
    System(String),
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
        Ok(self.put(name, description, fired_by, now))
    }

    /// Registers the events that a template and its steps list. One of a step is fired by the step's handler if the
    /// template says nothing else.
    pub fn declare(&self, template: &TaskTemplate, now: Timestamp) {
        let described = |event: &'_ CustomEvent| event.description.clone().unwrap_or_default();
        for event in &template.custom_events {
            self.put(event.name.as_str(), &described(event), &event.fired_by, now);
        }
        for step in &template.steps {
            let handler = [step.handler.to_string()];
            for event in &step.custom_events {
                let fired_by = if event.fired_by.is_empty() { &handler[..] } else { &event.fired_by };
                self.put(event.name.as_str(), &described(event), fired_by, now);
            }
        }
    }

    fn put(&self, name: &str, description: &str, fired_by: &[String], now: Timestamp) -> bool {
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
        is_new
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
    if name.parse::<EventId>().is_ok() {
        return Err(CustomEventError::System(name.to_owned()));
    }
    name.parse::<EventName>()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tasker_core::ParseOptions;

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

    #[test]
    fn a_template_declares_its_events_and_those_of_its_steps() {
        let text = "
name: orders
custom_events: [{name: order.fulfilled, description: All is sent., fired_by: [Ship]}]
step_templates:
  - name: pack
    handler_class: Pack
    custom_events: [{name: order.packed}, {name: order.fulfilled}]
";
        let template = TaskTemplate::parse(text, &ParseOptions::default()).expect("valid").template;
        let events = CustomEvents::default();
        events.declare(&template, NOW);
        let listed: Vec<_> = events.list();
        let listed: Vec<_> = listed
            .iter()
            .map(|event| (&*event.name, &*event.description, event.fired_by.join(" ")))
            .collect();
        let fulfilled = ("order.fulfilled", "All is sent.", "Ship Pack".to_owned());
        assert_eq!(listed, [fulfilled, ("order.packed", "", "Pack".to_owned())]);
    }

    /// V2, V3, V4.
    #[test]
    fn names_of_tasker_and_names_that_are_none_are_refused() {
        assert!(refusal("invalid_event_name").contains("must contain a namespace"));
        assert!(refusal("task.completed").contains("conflicts with system event"));
        for name in ["task.x", "step.x", "workflow.x", "observability.x", "test.x", "lease.x", "custom.x"] {
            assert!(refusal(name).contains("reserved namespace"), "{name}");
        }
        assert!(refusal("order..x").contains("is no name"));
        for event in EventId::ALL {
            let namespace = event.name().split('.').next();
            assert!(EventName::RESERVED.iter().any(|reserved| Some(*reserved) == namespace), "{event}");
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
