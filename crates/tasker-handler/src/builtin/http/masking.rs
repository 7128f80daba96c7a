//! What of a call must not be seen: secrets in addresses, headers that carry credentials.

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

const MASK: &str = "***";

/// A word of a name that makes its value a secret.
const SECRET_WORDS: [&str; 17] = [
    "apikey",
    "auth",
    "authentication",
    "authenticate",
    "authorization",
    "cookie",
    "cookie2",
    "credential",
    "credentials",
    "key",
    "passwd",
    "password",
    "secret",
    "session",
    "sig",
    "signature",
    "token",
];

/// Names that hold such a word and are no secrets all the same.
const HARMLESS: [&str; 3] = ["idempotency-key", "surrogate-key", "sec-websocket-key"];

/// An address without user, password and the values of secret parameters.
pub(super) fn masked(url: &Url) -> String {
    let mut shown = url.clone();
    if !url.username().is_empty() || url.password().is_some() {
        // An address that has a user can have another.
        let _ = shown.set_username(MASK);
        let _ = shown.set_password(None);
    }
    if url.query_pairs().any(|(name, _)| is_secret(&name)) {
        let mut query = shown.query_pairs_mut();
        query.clear();
        for (name, value) in url.query_pairs() {
            query.append_pair(&name, if is_secret(&name) { MASK } else { &value });
        }
    }
    shown.set_fragment(None);
    shown.into()
}

/// The headers of an answer as they may be stored: names in lower case, several values joined, none that carry
/// credentials.
pub(super) fn storable(headers: &HeaderMap) -> Value {
    let mut stored = Map::new();
    for name in headers.keys() {
        let key = name.as_str();
        if key.starts_with("proxy-") || is_secret(key) {
            continue;
        }
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let text = values.collect::<Vec<_>>().join(", ");
        let text = match key {
            "location" | "content-location" | "refresh" => {
                Url::parse(&text).map_or_else(|_| without_query(&text), |url| masked(&url))
            }
            _ => text,
        };
        stored.insert(key.to_owned(), text.into());
    }
    Value::Object(stored)
}

/// What comes before the parameters of an address that is not a whole one.
fn without_query(text: &str) -> String {
    match text.split_once('?') {
        Some((path, _)) => format!("{path}?{MASK}"),
        None => text.to_owned(),
    }
}

/// Whether a parameter or a header of this name holds a secret: one of its words says so.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if HARMLESS.contains(&name.as_str()) {
        return false;
    }
    let squeezed: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| SECRET_WORDS.contains(&word))
        || ["token", "secret", "password", "apikey", "signature"].iter().any(|word| squeezed.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        masked(&Url::parse(url).expect("an address"))
    }

    #[test]
    fn secrets_in_addresses_are_masked() {
        assert_eq!(shown("https://ada:pw@x.io/a?page=2#top"), "https://***@x.io/a?page=2");
        assert_eq!(
            shown("https://x.io/?accessToken=1&api_key=2&q=key&X-Amz-Signature=3&sig=4"),
            "https://x.io/?accessToken=***&api_key=***&q=key&X-Amz-Signature=***&sig=***"
        );
    }

    #[test]
    fn headers_with_credentials_are_not_stored() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "text/plain"),
            ("set-cookie", "a=b"),
            ("authorization", "x"),
            ("www-authenticate", "Basic"),
            ("proxy-authenticate", "Basic"),
            ("x-api-key", "x"),
            ("x-session-token", "x"),
            ("idempotency-key", "7"),
            ("location", "/next?token=x"),
        ] {
            headers.append(name, value.parse().expect("a value"));
        }
        headers.append("content-type", "b".parse().expect("a value"));
        let stored = serde_json::json!({
            "content-type": "text/plain, b", "idempotency-key": "7", "location": "/next?***",
        });
        assert_eq!(storable(&headers), stored);
    }
}
