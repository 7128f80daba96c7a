//! A span as JSON.

use serde_json::{Value as Json, json};

use crate::attributes;
use crate::span::{Attribute, Kind, Span, Value};

impl Span<'_> {
    /// The span with all that is known of it; ids are hexadecimal.
    pub fn to_json(&self) -> Json {
        let events = self.events.iter().map(
            |event| json!({ "name": event.name, "at": event.at, "attributes": facts(&event.attributes) }),
        );
        let links = self.links.iter().map(|link| {
            let (trace, of) = (link.trace.to_string(), link.span.to_string());
            json!({ "trace_id": trace, "span_id": of, "attributes": { attributes::LINK_TYPE: link.kind } })
        });
        let error = self.error.as_ref().map(|error| json!({ "type": error.kind, "message": error.message }));
        json!({
            "trace_id": self.trace.to_string(),
            "span_id": self.id.to_string(),
            "parent_span_id": self.parent.map(|parent| parent.to_string()),
            "name": self.name,
            "kind": match self.kind { Kind::Internal => "internal", Kind::Consumer => "consumer" },
            "start": self.start,
            "end": self.end,
            "attributes": facts(&self.attributes),
            "events": events.collect::<Vec<_>>(),
            "links": links.collect::<Vec<_>>(),
            "error": error,
        })
    }
}

fn facts(attributes: &[Attribute<'_>]) -> Json {
    let facts = attributes.iter().map(|(name, value)| {
        let value = match value {
            Value::Text(text) => json!(text),
            Value::Texts(texts) => json!(texts),
            Value::Number(number) => json!(number),
            Value::Truth(truth) => json!(truth),
            Value::Task(_) | Value::Step(_) => json!(value.to_string()),
        };
        ((*name).to_owned(), value)
    });
    Json::Object(facts.collect())
}
