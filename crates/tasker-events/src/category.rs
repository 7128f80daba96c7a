//! What kind of error a failure is, as dashboards group them.

use serde::Serialize;

/// What kind of error a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCategory {
    /// It took too long.
    Timeout,
    /// The other side could not be reached.
    Network,
    /// What was asked for is not there.
    NotFound,
    /// The other side does not know, or does not let, whoever asked.
    Auth,
    /// Too much was asked.
    RateLimit,
    /// What was asked makes no sense.
    ClientError,
    /// The other side failed.
    ServerError,
    /// The program failed.
    Runtime,
    /// Something else.
    Other,
    /// Nobody said.
    Unknown,
}

/// Words of a name that tell the category, in the order in which they count.
const WORDS: [(ErrorCategory, &[&str]); 8] = [
    (ErrorCategory::Timeout, &["timeout", "timed_out", "lease_expired"]),
    (ErrorCategory::Network, &["connection", "network", "unreachable"]),
    (ErrorCategory::NotFound, &["notfound", "not_found", "missing", "404"]),
    (ErrorCategory::Auth, &["unauthorized", "forbidden", "401", "403"]),
    (ErrorCategory::RateLimit, &["ratelimit", "rate_limit", "toomanyrequests", "too_many_requests", "429"]),
    (ErrorCategory::ClientError, &["badrequest", "bad_request", "invalid", "configuration", "400"]),
    (ErrorCategory::ServerError, &["servererror", "server_error", "internalerror", "internal_error", "500"]),
    (ErrorCategory::Runtime, &["standarderror", "runtimeerror", "runtime_error", "panic"]),
];

impl ErrorCategory {
    /// Every category.
    pub const ALL: [Self; 10] = [
        Self::Timeout,
        Self::Network,
        Self::NotFound,
        Self::Auth,
        Self::RateLimit,
        Self::ClientError,
        Self::ServerError,
        Self::Runtime,
        Self::Other,
        Self::Unknown,
    ];

    /// The category that the name or the code of an error tells: the first whose words are in it, in upper or lower case.
    /// Other codes of HTTP, such as `HTTP_503`, count by their hundreds.
    pub fn of(name: &str) -> Self {
        if name.is_empty() {
            return Self::Unknown;
        }
        match WORDS.iter().find(|(_, words)| words.iter().any(|word| contains(name, word))) {
            Some((category, _)) => *category,
            None if contains(name, "http_4") => Self::ClientError,
            None if contains(name, "http_5") => Self::ServerError,
            None => Self::Other,
        }
    }

    /// The name on the wire and in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::NotFound => "not_found",
            Self::Auth => "auth",
            Self::RateLimit => "rate_limit",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::Runtime => "runtime",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether `text` has `word`, which is in lower case, in it; without an allocation.
fn contains(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V6.
    #[test]
    fn the_first_word_that_is_in_the_name_tells() {
        let cases = [
            ("Net::TimeoutError", "timeout"),
            ("ConnectionError", "network"),
            ("NetworkError", "network"),
            ("ConnectionTimeout", "timeout"),
            ("RecordNotFound", "not_found"),
            ("HTTP_404", "not_found"),
            ("Unauthorized", "auth"),
            ("HTTP_403", "auth"),
            ("RateLimitError", "rate_limit"),
            ("HTTP_429", "rate_limit"),
            ("BadRequest", "client_error"),
            ("InvalidInput", "client_error"),
            ("InternalError", "server_error"),
            ("HTTP_500", "server_error"),
            ("HTTP_503", "server_error"),
            ("HTTP_418", "client_error"),
            ("RuntimeError", "runtime"),
            ("Foo", "other"),
            ("", "unknown"),
        ];
        for (name, category) in cases {
            assert_eq!(ErrorCategory::of(name).as_str(), category, "{name}");
        }
    }

    #[test]
    fn every_category_has_the_name_that_it_is_written_with() {
        for category in ErrorCategory::ALL {
            let written = serde_json::to_value(category).expect("a text");
            assert_eq!(written, category.as_str());
        }
    }
}
