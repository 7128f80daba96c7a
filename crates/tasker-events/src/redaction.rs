//! What must not be told: values that stand under the names of secrets.

use serde_json::Value;

/// Takes the place of a secret.
const MARK: &str = "[redacted]";

/// The names of secrets. Stars stand for any characters, `-` for `_`, and small letters for large ones.
const SECRETS: [&str; 17] = [
    "*passw*",
    "*passphrase*",
    "pwd",
    "*secret*",
    "*token",
    "*api_key",
    "*apikey",
    "*private_key",
    "*privatekey",
    "*access_key",
    "*accesskey",
    "authorization",
    "*_authorization",
    "cookie",
    "*_cookie",
    "*credential*",
    "cvv",
];

/// A pattern that can match no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name: write one such as iban, the end of a path such as card.number, or stars such as *_pin"
)]
pub struct RedactionError(pub String);

/// Which values are secret, by the names under which they stand.
///
/// A pattern is a name (`password`), the end of a path (`card.number`: what is called `number` in what is called
/// `card`), and may have stars for any characters of one name (`*_token`). Large and small letters are the same, and so
/// are `-` and `_`. A name that holds dots is taken for a path. Lists add nothing to a path.
///
/// ```
/// use serde_json::json;
/// use tasker_events::Redaction;
///
/// let redaction = Redaction::default().with("card.number").expect("a pattern");
/// let mut payload = json!({ "user": "ada", "apiToken": "t", "cards": [{ "card": { "number": 1, "kind": "visa" } }] });
/// redaction.redact(&mut payload);
/// assert_eq!(
///     payload,
///     json!({ "user": "ada", "apiToken": "[redacted]", "cards": [{ "card": { "number": "[redacted]", "kind": "visa" } }] })
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// Each by its names, the last one last.
    patterns: Vec<Vec<String>>,
}

impl Default for Redaction {
    /// What is called like passwords, tokens, keys, cookies and other credentials.
    fn default() -> Self {
        Self { patterns: SECRETS.iter().map(|pattern| names(pattern)).collect() }
    }
}

impl Redaction {
    /// The patterns that hold from the beginning.
    pub const DEFAULTS: &[&str] = &SECRETS;

    /// Besides, what `pattern` matches.
    ///
    /// # Errors
    ///
    /// If it can match no name.
    pub fn with(mut self, pattern: &str) -> Result<Self, RedactionError> {
        let names = names(pattern.trim());
        let is_name = |name: &String| !name.is_empty() && name.chars().any(|letter| letter != '*');
        if !names.iter().all(is_name) {
            return Err(RedactionError(pattern.to_owned()));
        }
        self.patterns.push(names);
        Ok(self)
    }

    /// Besides, what any of `patterns` matches.
    ///
    /// # Errors
    ///
    /// The first that can match no name.
    pub fn with_all<'p>(self, patterns: impl IntoIterator<Item = &'p str>) -> Result<Self, RedactionError> {
        patterns.into_iter().try_fold(self, Self::with)
    }

    /// Puts `[redacted]` in the place of every secret in a value, at any depth.
    pub fn redact(&self, value: &mut Value) {
        self.descend(&mut Vec::new(), value);
    }

    /// The same for the value of a field called `name`, which may be a secret itself.
    pub fn redact_field(&self, name: &str, value: &mut Value) {
        self.enter(&mut Vec::new(), name, value);
    }

    /// Whether what stands under this name, or at the end of this path, is a secret.
    pub fn hides(&self, path: &str) -> bool {
        self.is_secret(&names(path))
    }

    fn descend(&self, path: &mut Vec<String>, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.enter(path, name, value);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.descend(path, item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn enter(&self, path: &mut Vec<String>, name: &str, value: &mut Value) {
        let depth = path.len();
        path.extend(names(name));
        if self.is_secret(path) {
            *value = Value::from(MARK);
        } else {
            self.descend(path, value);
        }
        path.truncate(depth);
    }

    fn is_secret(&self, path: &[String]) -> bool {
        let is_met = |pattern: &Vec<String>| {
            let start = path.len().checked_sub(pattern.len());
            let end = start.map(|start| &path[start..]);
            end.is_some_and(|end| end.iter().zip(pattern).all(|(name, pattern)| is_like(name, pattern)))
        };
        self.patterns.iter().any(is_met)
    }
}

/// The names of a path, in one spelling.
fn names(path: &str) -> Vec<String> {
    path.split('.').map(|name| name.to_lowercase().replace('-', "_")).collect()
}

/// Whether a name is what the pattern says, stars standing for any characters.
fn is_like(name: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redacted(mut value: Value, more: &[&str]) -> Value {
        let redaction = Redaction::default().with_all(more.iter().copied()).expect("patterns");
        redaction.redact(&mut value);
        value
    }

    #[test]
    fn secrets_are_found_at_any_depth_and_in_lists() {
        let payload = json!({
            "headers": [{ "Authorization": "Bearer x", "accept": "*/*" }, { "Set-Cookie": ["a", "b"] }],
            "login": { "user": "ada", "password": { "old": 1, "fresh": 2 } },
            "list": [[{ "api-key": "k" }], "password"],
        });
        assert_eq!(
            redacted(payload, &[]),
            json!({
                "headers": [{ "Authorization": MARK, "accept": "*/*" }, { "Set-Cookie": MARK }],
                "login": { "user": "ada", "password": MARK },
                "list": [[{ "api-key": MARK }], "password"],
            })
        );
    }

    #[test]
    fn names_are_alike_in_every_spelling() {
        let secret = [
            "password",
            "PASSWORD",
            "userPassword",
            "passwd",
            "accessToken",
            "access_token",
            "x-api-key",
            "clientSecret",
            "Proxy-Authorization",
            "aws.credentials",
            "http.request.header.cookie",
            "private_key",
        ];
        for name in secret {
            assert!(Redaction::default().hides(name), "{name}");
        }
        for name in ["compass", "tokens_used", "key", "author", "cookies_eaten", "by", "", ".", "secre t"] {
            assert!(!Redaction::default().hides(name), "{name}");
        }
    }

    #[test]
    fn a_path_matches_by_its_end_and_stars_within_one_name() {
        let payload = json!({ "card": { "number": 1, "x": { "number": 2 } }, "number": 3, "a": { "card": { "number": 4 } } });
        assert_eq!(
            redacted(payload, &["card.number"]),
            json!({ "card": { "number": MARK, "x": { "number": 2 } }, "number": 3, "a": { "card": { "number": MARK } } })
        );
        let payload = json!({ "b_pin": 1, "pin": 2, "b_pin_c": 3, "abxcd": 4, "abcd": 5, "axd": 6 });
        assert_eq!(
            redacted(payload, &["*_pin", "a*b*c*d"]),
            json!({ "b_pin": MARK, "pin": 2, "b_pin_c": 3, "abxcd": MARK, "abcd": MARK, "axd": 6 })
        );
        assert_eq!(
            redacted(json!({ "a.card": { "Number": 1 } }), &["card.number"])["a.card"]["Number"],
            MARK
        );
    }

    #[test]
    fn a_pattern_that_says_nothing_is_refused_with_what_to_write() {
        for pattern in ["", " ", "*", "a..b", "card.", "**"] {
            let error = Redaction::default().with(pattern).expect_err("refused").to_string();
            assert!(error.contains("write one such as iban"), "{error}");
        }
    }

    #[test]
    fn a_field_may_be_a_secret_itself_or_hold_one() {
        let redaction = Redaction::default();
        let (mut one, mut other) = (json!({ "user": "ada" }), json!({ "pwd": 1 }));
        redaction.redact_field("secret", &mut one);
        redaction.redact_field("login", &mut other);
        assert_eq!((one, other), (json!(MARK), json!({ "pwd": MARK })));
    }
}
