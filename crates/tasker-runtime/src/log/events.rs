//! Events as lines of the log.

use serde_json::{Map, Value};
use tasker_events::{Envelope, Event, Priority, Sink};

use super::fields::Fields;
use super::line::MOST_FIELDS;

/// Under which target events are written.
pub(super) const TARGET: &str = "tasker::event";

/// Writes events into the log: what matters more at a higher level.
#[derive(Debug)]
pub(crate) struct EventLog;

impl Sink for EventLog {
    fn take(&self, event: &Event<'_>) {
        let id = event.id();
        let payload = serde_json::to_string(event).expect("invariant: payloads have a JSON form");
        match id.priority() {
            Priority::Critical => tracing::error!(target: TARGET, event = id.name(), payload, "{id}"),
            Priority::High => tracing::warn!(target: TARGET, event = id.name(), payload, "{id}"),
            Priority::Normal => tracing::debug!(target: TARGET, event = id.name(), payload, "{id}"),
            Priority::Low => tracing::trace!(target: TARGET, event = id.name(), payload, "{id}"),
        }
    }

    fn take_custom(&self, event: &Envelope) {
        let (name, payload) = (&*event.event, &event.payload);
        let task_id = event.task.map(tracing::field::display);
        tracing::debug!(target: TARGET, event = name, task_id, %payload, "{name}");
    }
}

/// Makes what is in the payload of an event fields of its line, and adds what is known by its name and its duration.
pub(super) fn spread(fields: &mut Fields) {
    if let Some(Value::String(name)) = fields.take("event") {
        let (entity, _) = name.split_once('.').unwrap_or((&name, ""));
        fields.set("entity", Value::from(entity));
        fields.set("event", Value::from(name));
    }
    let payload = match fields.take("payload") {
        // What cannot be read, such as values nested too deep, cannot be searched for secrets either.
        Some(Value::String(text)) => {
            serde_json::from_str(&text).unwrap_or_else(|_| Value::from("[unreadable]"))
        }
        Some(other) => other,
        None => return,
    };
    let Value::Object(payload) = payload else {
        fields.set("payload", payload);
        return;
    };
    let seconds = seconds(&payload);
    let facts =
        payload.into_iter().filter(|(name, value)| !value.is_null() && !DURATIONS.contains(&name.as_str()));
    let mut more = Fields::default();
    for (name, value) in facts.take(MOST_FIELDS) {
        more.set(&name, value);
    }
    if let Some(seconds) = seconds {
        more.set("duration_ms", Value::from((seconds * 1e6).round() / 1e3));
        more.set("performance_category", Value::from(performance(seconds)));
    }
    fields.complete(&more);
}

/// What payloads call the time that something took, in seconds.
const DURATIONS: [&str; 3] = ["execution_duration", "total_execution_duration", "duration"];

fn seconds(payload: &Map<String, Value>) -> Option<f64> {
    DURATIONS.iter().find_map(|name| payload.get(*name)?.as_f64())
}

/// How fast something was, in a word.
fn performance(seconds: f64) -> &'static str {
    match seconds {
        seconds if seconds <= 0.1 => "fast",
        seconds if seconds <= 1.0 => "moderate",
        seconds if seconds <= 5.0 => "slow",
        _ => "very_slow",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_category_of_a_duration_is_the_least_that_it_fits_into() {
        let categories = [0.0, 0.1, 0.100_001, 1.0, 1.5, 5.0, 5.1].map(performance);
        assert_eq!(categories, ["fast", "fast", "moderate", "moderate", "slow", "slow", "very_slow"]);
    }
}
