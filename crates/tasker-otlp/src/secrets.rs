//! Keeping secrets out of what handlers say about their spans.
//!
//! What is written from the record has no fields that a handler could fill. A live span has: an attribute whose name
//! is that of a secret keeps its name and loses its value.

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

/// Takes the place of what is secret.
const MASK: &str = "********";

/// What the name of a secret has in it.
const SECRETS: [&str; 9] =
    ["pass", "pwd", "secret", "token", "credential", "api_key", "apikey", "authorization", "cookie"];

/// Masks the attributes of a span and of its events.
pub(crate) fn mask(span: &mut SpanData) {
    let of_events = span.events.events.iter_mut().flat_map(|event| event.attributes.iter_mut());
    for fact in span.attributes.iter_mut().chain(of_events) {
        if is_secret(fact) {
            fact.value = MASK.into();
        }
    }
}

/// Asked of each attribute of each span, so that nothing is allocated.
fn is_secret(fact: &KeyValue) -> bool {
    let name = fact.key.as_str().as_bytes();
    let begins = |part: &[u8], word: &str| {
        let plain = part.iter().map(|byte| if *byte == b'-' { b'_' } else { byte.to_ascii_lowercase() });
        word.len() <= part.len() && plain.zip(word.bytes()).all(|(byte, expected)| byte == expected)
    };
    (0..name.len()).any(|at| SECRETS.iter().any(|word| begins(&name[at..], word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_secret_in_it_is_found_however_it_is_written() {
        for name in ["password", "db.Password", "http.request.header.set-cookie", "X-API-Key", "access_token"]
        {
            assert!(is_secret(&KeyValue::new(name, "x")), "{name}");
        }
        for name in ["http.request.method", "url.full", "key", "tasker.handler"] {
            assert!(!is_secret(&KeyValue::new(name, "x")), "{name}");
        }
    }
}
