//! Durable subscribers as settings.

use std::collections::BTreeMap;

use config::ValueKind;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use tasker_subscribers::SubscriberSettings;

use super::sections::EventsSection;
use crate::error::RunError;
use crate::masking::{MASK, without_secrets};

/// One subscriber, as settings say it: the fields of the guide in front of tasker-subscribers, but for its name.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct SubscriberSetting(Value);

/// The fields in which secrets stand.
const SECRET: [&str; 5] = ["secret", "previous_secret", "headers", "env", "args"];

impl EventsSection {
    /// The subscribers, with the variables of `environment` inserted.
    ///
    /// # Errors
    ///
    /// [`RunError::Refused`] with the first that cannot be used, or names a variable that is not set.
    pub fn subscriber_settings(
        &self,
        environment: &[(String, String)],
    ) -> Result<Vec<SubscriberSettings>, RunError> {
        let environment: BTreeMap<&str, &str> =
            environment.iter().map(|(name, value)| (&**name, &**value)).collect();
        let subscribers = self.subscribers.iter();
        subscribers.map(|(name, setting)| setting.read(name, &environment)).collect()
    }
}

impl SubscriberSetting {
    fn read(&self, name: &str, environment: &BTreeMap<&str, &str>) -> Result<SubscriberSettings, RunError> {
        let refused = |what: String| RunError::Refused { what: format!("events.subscribers.{name}: {what}") };
        let mut value = self.0.clone();
        insert(&mut value, environment).map_err(refused)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("name".to_owned(), Value::from(name));
        }
        serde_json::from_value(value).map_err(|error| refused(error.to_string()))
    }
}

/// Inserts variables into all texts.
fn insert(value: &mut Value, environment: &BTreeMap<&str, &str>) -> Result<(), String> {
    match value {
        Value::String(text) => *text = inserted(text, environment)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| insert(item, environment))?,
        Value::Object(fields) => fields.values_mut().try_for_each(|field| insert(field, environment))?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn inserted(text: &str, environment: &BTreeMap<&str, &str>) -> Result<String, String> {
    let mut parts = text.split("${");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((name, rest)) = part.split_once('}') else {
            return Err("a \"${\" has no end: write ${NAME}".to_owned());
        };
        let Some(value) = environment.get(name) else {
            return Err(format!("the variable {name} is not set where this process runs"));
        };
        whole.push_str(value);
        whole.push_str(rest);
    }
    Ok(whole)
}

/// Whether a value, as it was read from a file, is a table of tables.
pub(super) fn is_table(value: &ValueKind) -> bool {
    let is_table = |value: &config::Value| matches!(value.kind, ValueKind::Table(_));
    matches!(value, ValueKind::Table(subscribers) if subscribers.values().all(is_table))
}

impl Serialize for SubscriberSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = self.0.clone();
        for (name, field) in shown.as_object_mut().into_iter().flatten() {
            if SECRET.contains(&&**name) {
                *field = Value::from(MASK);
            } else if let Value::String(text) = field {
                *text = without_secrets(text);
            }
        }
        shown.serialize(serializer)
    }
}

impl std::fmt::Debug for SubscriberSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOOK: &str = r#"{
        "shop": {
            "type": "webhook", "url": "https://me:hush@example.com/hook", "events": ["task.*"],
            "secret": "${HOOK_SECRET}", "headers": { "x-key": "hush" }
        }
    }"#;

    fn section(text: &str) -> EventsSection {
        let subscribers = serde_json::from_str(text).expect("subscribers");
        EventsSection { subscribers, ..EventsSection::default() }
    }

    fn refusal(text: &str) -> String {
        let environment = [("HOOK_SECRET".to_owned(), "x".repeat(32))];
        section(text).subscriber_settings(&environment).expect_err("refused").told()
    }

    #[test]
    fn variables_of_the_environment_are_inserted() {
        let environment = [("HOOK_SECRET".to_owned(), "x".repeat(32))];
        let settings = section(HOOK).subscriber_settings(&environment).expect("a subscriber");
        assert_eq!((settings.len(), &*settings[0].name), (1, "shop"));
        let told = section(HOOK).subscriber_settings(&[]).expect_err("no variable").told();
        assert_eq!(
            told,
            "events.subscribers.shop: the variable HOOK_SECRET is not set where this process runs"
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let section = section(HOOK);
        let shown = format!("{section:?} {}", serde_json::to_string(&section).expect("JSON"));
        assert!(!shown.contains("hush") && !shown.contains("HOOK_SECRET"), "{shown}");
        assert!(shown.contains("example.com"), "{shown}");
    }

    #[test]
    fn what_makes_no_subscriber_is_refused_with_its_name() {
        let told = refusal(r#"{ "audit": { "type": "file", "path": "a.ndjson", "event": ["task.*"] } }"#);
        assert!(told.starts_with("events.subscribers.audit: ") && told.contains("event"), "{told}");
    }
}
