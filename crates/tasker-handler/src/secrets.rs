//! Keeping the variables that templates may use out of failures and logs.
//!
//! Where the value of such a variable would stand, also escaped or as a part of an address, its name is put as a
//! template writes it: `${API_TOKEN}`. Results are left alone: what a handler produces is what it was asked for.

use reqwest::Url;
use serde_json::Value;
use tasker_core::{Failure, Outcome};

use crate::surroundings::Surroundings;

/// Shorter values hide nothing, and stand in too many texts by chance.
const SHORTEST: usize = 6;

/// What must not be stored or logged, and what stands in its place.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Vec<(String, String)>);

impl Secrets {
    /// The values of the variables that templates may use.
    pub(crate) fn of(surroundings: &Surroundings) -> Self {
        let exposed = surroundings.all_exposed().filter(|(_, value)| value.len() >= SHORTEST);
        let mut hidden: Vec<(String, String)> = exposed
            .flat_map(|(name, value)| spellings(value).map(|text| (text, format!("${{{name}}}"))))
            .collect();
        // One may be a part of another.
        hidden.sort_by(|(left, _), (right, _)| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        hidden.dedup();
        Self(hidden)
    }

    /// The text with names for values; `None` if there is no value in it.
    pub(crate) fn hidden(&self, text: &str) -> Option<String> {
        let mut found = self.0.iter().filter(|(value, _)| text.contains(value.as_str())).peekable();
        found.peek()?;
        Some(found.fold(text.to_owned(), |text, (value, name)| text.replace(value.as_str(), name)))
    }

    /// The outcome with names for values in its failure.
    pub(crate) fn hidden_in(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Fail(failure) => Outcome::Fail(self.failure(failure)),
            Outcome::Retry { failure, when } => Outcome::Retry { failure: self.failure(failure), when },
            Outcome::Done(_) | Outcome::Snooze(_) => outcome,
        }
    }

    fn failure(&self, mut failure: Failure) -> Failure {
        failure.message = self.hidden(&failure.message).unwrap_or(failure.message);
        self.hide_in(&mut failure.details);
        failure
    }

    /// Puts names for values into every text of `value`.
    pub(crate) fn hide_in(&self, value: &mut Value) {
        if !self.0.is_empty() {
            self.value(value);
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(hidden) = self.hidden(text) {
                    *text = hidden;
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.value(value)),
            Value::Object(fields) => fields.iter_mut().for_each(|(_, value)| self.value(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// A value as it may stand in a text: by itself, escaped, in a query, in a path.
fn spellings(value: &str) -> [String; 4] {
    let escaped = format!("{value:?}");
    let query = Url::parse_with_params("http://x/", [("", value)]).ok();
    let query = query.as_ref().and_then(|url| url.query()).map_or(value, |query| &query[1..]).to_owned();
    let path = Url::parse(&format!("http://x/{value}"))
        .map_or_else(|_| String::new(), |url| url.path()[1..].to_owned());
    let path = if path.len() < SHORTEST { value.to_owned() } else { path };
    [value.to_owned(), escaped[1..escaped.len() - 1].to_owned(), query, path]
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tasker_core::FailureKind;

    use super::*;

    fn secrets() -> Secrets {
        let environment = [
            ("TOKEN", "s3 \"cr/t\"+é"),
            ("LONG", "s3 \"cr/t\"+é and more"),
            ("SHORT", "eu"),
            ("OTHER", "hidden"),
        ];
        Secrets::of(&Surroundings::default().environment(environment).expose(["TOKEN", "LONG", "SHORT"]))
    }

    #[test]
    fn a_value_is_hidden_however_it_is_spelled() {
        for (text, hidden) in [
            ("a s3 \"cr/t\"+é.", "a ${TOKEN}."),
            ("s3 \"cr/t\"+é and more", "${LONG}"),
            (r#"found "s3 \"cr/t\"+é""#, "found \"${TOKEN}\""),
            ("http://x/?t=s3+%22cr%2Ft%22%2B%C3%A9", "http://x/?t=${TOKEN}"),
            ("http://x/s3%20%22cr/t%22+%C3%A9/y", "http://x/${TOKEN}/y"),
        ] {
            assert_eq!(secrets().hidden(text).as_deref(), Some(hidden), "{text}");
        }
        assert_eq!(secrets().hidden("the hidden one in eu"), None);
    }

    #[test]
    fn failures_hide_values_and_results_do_not() {
        let failure = Failure::new(FailureKind::Permanent, "s3 \"cr/t\"+é")
            .with_details(json!({ "body": ["s3 \"cr/t\"+é", 1] }));
        let Outcome::Fail(hidden) = secrets().hidden_in(Outcome::Fail(failure)) else { panic!("changed") };
        assert_eq!(
            (hidden.message.as_str(), hidden.details),
            ("${TOKEN}", json!({ "body": ["${TOKEN}", 1] }))
        );
        let done = Outcome::Done(json!("s3 \"cr/t\"+é"));
        assert_eq!(secrets().hidden_in(done.clone()), done);
    }
}
