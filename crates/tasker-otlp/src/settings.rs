//! Where traces go, and how.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Where traces go, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The collector: `http://localhost:4317`. Over HTTP, `/v1/traces` is added if it does not end with that.
    pub endpoint: String,
    /// How to speak to it.
    pub protocol: Protocol,
    /// What each request carries besides.
    pub headers: Vec<(String, Secret)>,
    /// Whom to trust over `https` in place of the authorities that the machine trusts: certificates as PEM.
    pub certificates: Option<String>,
    /// How long a request may take.
    pub timeout: Duration,
    /// What the process is: `service.name`, `service.instance.id`, `service.version` and what else describes it.
    pub resource: Vec<(String, String)>,
    /// How many spans may wait.
    pub capacity: usize,
    /// How many spans are sent at once.
    pub batch: usize,
    /// How long a span waits for others to be sent with.
    pub delay: Duration,
    /// How long a batch that does not arrive is repeated before it is given up.
    pub patience: Duration,
}

/// How to speak to a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Protocol buffers over gRPC, usually on port 4317.
    #[default]
    Grpc,
    /// Protocol buffers over HTTP, usually on port 4318.
    HttpProtobuf,
}

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why traces cannot be sent as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// The endpoint is no URL.
    #[error("endpoint {endpoint:?} cannot be used ({reason}): write a URL such as http://localhost:4317")]
    Endpoint {
        /// The endpoint given.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header that HTTP does not allow.
    #[error("header {name:?} cannot be used: its name or its value has characters that HTTP does not allow")]
    Header {
        /// Its name.
        name: String,
    },
    /// Certificates that cannot be read.
    #[error("the certificates to trust cannot be used ({reason}): write them as PEM, one after another")]
    Certificates {
        /// What is wrong with them.
        reason: String,
    },
    /// The client could not be made.
    #[error("the client of the collector could not be made: {0}")]
    Client(String),
}

/// A text that is the name of no protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("protocol {0:?} is not known: write \"grpc\" or \"http/protobuf\"")]
pub struct UnknownProtocol(pub String);

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: "http://localhost:4317".to_owned(),
            protocol: Protocol::Grpc,
            headers: Vec::new(),
            certificates: None,
            timeout: Duration::from_secs(10),
            resource: Vec::new(),
            capacity: 16_384,
            batch: 512,
            delay: Duration::from_secs(1),
            patience: Duration::from_secs(60),
        }
    }
}

impl Protocol {
    /// The name, as in `OTEL_EXPORTER_OTLP_PROTOCOL`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http/protobuf",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, UnknownProtocol> {
        [Self::Grpc, Self::HttpProtobuf]
            .into_iter()
            .find(|protocol| protocol.as_str() == text)
            .ok_or_else(|| UnknownProtocol(text.to_owned()))
    }
}

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_reads_back_its_own_name() {
        for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
        }
        assert!("http/json".parse::<Protocol>().is_err());
    }

    #[test]
    fn the_value_of_a_header_is_not_shown() {
        let headers = vec![("authorization".to_owned(), Secret::new("Bearer hunter2"))];
        let settings = Settings { headers, ..Settings::default() };
        let shown = format!("{settings:?}");
        assert!(shown.contains("authorization") && !shown.contains("hunter2"), "{shown}");
    }
}
