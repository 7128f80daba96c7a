//! Over HTTP.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use prost::bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, Url, redirect};

use super::{Refusal, Remedy, told};
use crate::settings::{OtlpError, Settings};

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
/// What is added to the endpoint.
const PATH: &str = "/v1/traces";

/// A client and its address.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    url: Url,
}

impl Http {
    pub(super) fn new(settings: &Settings) -> Result<Self, OtlpError> {
        // It is no failure that another part of the process has chosen its cryptography already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = url(&settings.endpoint)?;
        let client = Client::builder()
            .timeout(settings.timeout)
            .redirect(redirect::Policy::none())
            .default_headers(headers(settings)?);
        let client = match super::certificates(settings)? {
            // Nobody has to be trusted.
            _ if url.scheme() == "http" => client.tls_certs_only([]),
            Some(pem) => client.tls_certs_only(certificates(pem)?),
            None => client,
        };
        let client = client.build().map_err(|error| OtlpError::Client(error.to_string()))?;
        Ok(Self { client, url })
    }

    pub(super) async fn send(&self, request: Bytes) -> Result<ExportTraceServiceResponse, Refusal> {
        let sent = self.client.post(self.url.clone()).body(request).send().await;
        let response = sent.map_err(interrupted)?;
        if !response.status().is_success() {
            return Err(refusal(&response));
        }
        let body = response.bytes().await.map_err(interrupted)?;
        // It has taken the spans, whatever it says about them.
        Ok(ExportTraceServiceResponse::decode(body).unwrap_or_default())
    }
}

fn url(endpoint: &str) -> Result<Url, OtlpError> {
    let refused = |reason: String| OtlpError::Endpoint { endpoint: endpoint.to_owned(), reason };
    let mut url = Url::parse(endpoint).map_err(|error| refused(error.to_string()))?;
    let base = url.path().trim_end_matches('/').to_owned();
    if !base.ends_with(PATH) {
        url.set_path(&format!("{base}{PATH}"));
    }
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(refused("it is neither http nor https".to_owned())),
    }
}

fn headers(settings: &Settings) -> Result<HeaderMap, OtlpError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, PROTOBUF);
    for (name, value) in &settings.headers {
        let refused = || OtlpError::Header { name: name.clone() };
        let key: HeaderName = name.parse().map_err(|_| refused())?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| refused())?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

fn certificates(pem: &str) -> Result<Vec<Certificate>, OtlpError> {
    Certificate::from_pem_bundle(pem.as_bytes())
        .map_err(|error| OtlpError::Certificates { reason: error.to_string() })
}

/// There was no answer, or not all of it.
fn interrupted(error: reqwest::Error) -> Refusal {
    // The address may have a password in it.
    let error = error.without_url();
    Refusal { message: format!("no answer: {}", told(&error)), remedy: Remedy::Again(None) }
}

fn refusal(response: &Response) -> Refusal {
    let status = response.status();
    let after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let remedy = match status.as_u16() {
        429 | 502 | 503 | 504 => Remedy::Again(after.map(Duration::from_secs)),
        _ => Remedy::None,
    };
    Refusal { message: format!("status {status}"), remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_added_to_an_endpoint_that_does_not_have_it() {
        for endpoint in ["http://host:4318", "http://host:4318/", "http://host:4318/v1/traces"] {
            assert_eq!(url(endpoint).expect("a URL").as_str(), "http://host:4318/v1/traces");
        }
        assert_eq!(url("https://host/otlp/").expect("a URL").as_str(), "https://host/otlp/v1/traces");
    }

    #[test]
    fn an_endpoint_that_is_no_url_is_refused_by_name() {
        for endpoint in ["", "localhost:4318", "ftp://host", "http://"] {
            let error = url(endpoint).expect_err(endpoint);
            assert!(
                error.to_string().starts_with(&format!("endpoint {endpoint:?} cannot be used")),
                "{error}"
            );
        }
    }
}
