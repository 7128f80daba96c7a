//! How a batch gets to the collector.

mod grpc;
mod http;

use std::error::Error;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::bytes::Bytes;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::settings::{OtlpError, Protocol, Settings};
use grpc::Grpc;
use http::Http;

/// A way to the collector.
#[derive(Debug)]
pub(crate) enum Transport {
    Grpc(Grpc),
    Http(Http),
}

/// Why a batch did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) remedy: Remedy,
}

/// What helps against a refusal, as the protocol says:
/// <https://opentelemetry.io/docs/specs/otlp/#failures>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Sending it again, after the time that the collector asked for, if it did.
    Again(Option<Duration>),
    /// Nothing.
    None,
}

impl Transport {
    /// A way to the collector. Nothing is sent yet.
    pub(crate) fn new(settings: &Settings) -> Result<Self, OtlpError> {
        match settings.protocol {
            Protocol::Grpc => Grpc::new(settings).map(Self::Grpc),
            Protocol::HttpProtobuf => Http::new(settings).map(Self::Http),
        }
    }

    /// Sends a request that is written already; gives how many of its spans the collector rejected.
    pub(crate) async fn send(&self, request: Bytes) -> Result<usize, Refusal> {
        let response = match self {
            Self::Grpc(grpc) => grpc.send(request).await,
            Self::Http(http) => http.send(request).await,
        };
        response.map(|response| rejected(&response))
    }
}

/// An error with what led to it.
fn told(error: &(dyn Error + 'static)) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", told(cause)),
        None => error.to_string(),
    }
}

/// The certificates to trust, which are some.
fn certificates(settings: &Settings) -> Result<Option<&str>, OtlpError> {
    let Some(pem) = &settings.certificates else { return Ok(None) };
    let refused = |reason: String| OtlpError::Certificates { reason };
    let mut found = CertificateDer::pem_slice_iter(pem.as_bytes());
    let first = found.next().ok_or_else(|| refused("there is none".to_owned()))?;
    std::iter::once(first).chain(found).try_for_each(|certificate| match certificate {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(error.to_string())),
    })?;
    Ok(Some(pem))
}

fn rejected(response: &ExportTraceServiceResponse) -> usize {
    let Some(partial) = &response.partial_success else { return 0 };
    if partial.rejected_spans > 0 {
        tracing::warn!(spans = partial.rejected_spans, reason = partial.error_message, "spans were rejected");
    }
    usize::try_from(partial.rejected_spans).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refusal_says_why_and_shows_no_password() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
            let endpoint = format!("http://user:hunter2@{address}");
            let settings = Settings { endpoint, protocol, ..Settings::default() };
            let transport = Transport::new(&settings).expect("settings");
            let refusal = transport.send(Bytes::new()).await.expect_err("nobody is there");
            assert_eq!(refusal.remedy, Remedy::Again(None));
            assert!(refusal.message.contains("refused"), "{}", refusal.message);
            assert!(!refusal.message.contains("hunter2"), "{}", refusal.message);
        }
    }
}
