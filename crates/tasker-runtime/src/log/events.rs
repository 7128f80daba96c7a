//! Events as lines of the log.

use tasker_events::{Envelope, Event, Priority, Sink};

/// Writes events into the log: what matters more at a higher level.
#[derive(Debug)]
pub(crate) struct EventLog;

impl Sink for EventLog {
    fn take(&self, event: &Event<'_>) {
        let id = event.id();
        let payload = serde_json::to_string(event).expect("invariant: payloads have a JSON form");
        match id.priority() {
            Priority::Critical => {
                tracing::error!(target: "tasker::event", event = id.name(), payload, "{id}");
            }
            Priority::High => tracing::warn!(target: "tasker::event", event = id.name(), payload, "{id}"),
            Priority::Normal => tracing::debug!(target: "tasker::event", event = id.name(), payload, "{id}"),
            Priority::Low => tracing::trace!(target: "tasker::event", event = id.name(), payload, "{id}"),
        }
    }

    fn take_custom(&self, event: &Envelope) {
        let (name, payload) = (&*event.event, &event.payload);
        tracing::debug!(target: "tasker::event", event = name, %payload, "{name}");
    }
}
