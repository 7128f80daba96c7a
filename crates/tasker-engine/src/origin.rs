//! What a task belongs to: the request that caused it, and the span that asks.

use tasker_core::{CorrelationId, Timestamp};
use tasker_store::Origin;

use crate::engine::Engine;
use crate::error::EngineError;

/// A `traceparent` of version 00 has so many characters.
const TRACEPARENT: usize = 55;
/// One of a later version may have more, but no more than this is kept.
const LONGEST: usize = 256;

impl Engine {
    /// What a task belongs to. A correlation id is made up where none is given; a `traceparent` that is none counts as
    /// absent, as W3C Trace Context asks for.
    pub(crate) fn origin(
        &self,
        correlation_id: Option<String>,
        traceparent: Option<String>,
        now: Timestamp,
    ) -> Result<Origin, EngineError> {
        let correlation_id = match correlation_id {
            Some(id) => checked(&id)?,
            None => self.correlation_id(now),
        };
        let traceparent = traceparent.filter(|text| is_traceparent(text));
        Ok(Origin { correlation_id: Some(correlation_id.into()), traceparent })
    }
}

fn checked(id: &str) -> Result<CorrelationId, EngineError> {
    id.parse().map_err(|_| EngineError::Field {
        field: "correlation_id",
        value: id.chars().take(60).collect(),
        remedy: "write at most 100 letters from a to z, digits, - and _, a letter or a digit first",
    })
}

/// Whether a text is version, trace id, span id and flags in lower-case hexadecimal, none of the ids 0; what may follow
/// in versions after 00 begins with a hyphen.
fn is_traceparent(text: &str) -> bool {
    let Some((known, rest)) = text.split_at_checked(TRACEPARENT) else { return false };
    let parts: Vec<&str> = known.split('-').collect();
    let [version, trace, span, flags] = parts[..] else { return false };
    let has_form = [(version, 2), (trace, 32), (span, 16), (flags, 2)].into_iter().all(|(part, digits)| {
        part.len() == digits && part.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    });
    let has_ids = [trace, span].into_iter().all(|id| id.bytes().any(|byte| byte != b'0'));
    let is_whole = match version {
        "00" => rest.is_empty(),
        "ff" => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    has_form
        && has_ids
        && is_whole
        && text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of <https://www.w3.org/TR/trace-context/#traceparent-header>, and what is none.
    #[test]
    fn a_traceparent_has_the_form_of_w3c_trace_context() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let later = good.replacen("00", "cc", 1);
        for text in [good, &later, &format!("{later}-more")] {
            assert!(is_traceparent(text), "{text}");
        }
        let zero = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        let long = format!("{later}-{}", "x".repeat(300));
        for text in [
            "",
            "1",
            &good[1..],
            &format!("{good}-more"),
            &good.to_uppercase(),
            &good.replacen("00", "ff", 1),
            &good.replace('-', "_"),
            &zero,
            &long,
            &format!("{later}-\0"),
            &format!("{later}more"),
        ] {
            assert!(!is_traceparent(text), "{text}");
        }
    }
}
