//! What is sent, read from the configuration.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Method, Request, Url, redirect};
use serde_json::Value;
use tracing::Span;
use tracing::field::Empty;

use super::masking::masked;
use crate::config::{Config, Misconfigured};
use crate::context::StepContext;
use crate::surroundings::Surroundings;
use crate::tracer::TRACE_TARGET;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const USER_AGENT: &str = concat!("tasker/", env!("CARGO_PKG_VERSION"));
const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_BODY_BYTES: u64 = 1024 * 1024;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) tls: Tls,
    pub(super) timeout: Duration,
    pub(super) backs_off: bool,
    pub(super) max_body_bytes: u64,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<String>,
}

/// What calls must have in common to use the same connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Tls {
    /// None: the address begins with `http:`.
    Plain,
    /// The server must prove who it is, to the system's authorities or to those of this file.
    Verified { ca_file: Option<String> },
    /// The server may be anyone.
    Unverified,
}

impl Call {
    pub(super) fn read(step: &StepContext) -> Result<Self, Misconfigured> {
        let config = Config::of(step.config())?;
        let body = config.value("body").map(|body| match body {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let method = method(config, body.is_some())?;
        let sends_step = body.is_none() && [Method::POST, Method::PUT, Method::PATCH].contains(&method);
        let body = if sends_step { Some(step.to_json().to_string()) } else { body };
        let url = url(config)?;
        let headers = headers(config, step, body.is_some())?;
        Ok(Self {
            tls: tls(config, &url)?,
            timeout: config.seconds("timeout_seconds")?.unwrap_or(TIMEOUT),
            backs_off: config.flag("enable_exponential_backoff")?.unwrap_or(true),
            max_body_bytes: config.whole("max_body_bytes")?.unwrap_or(MAX_BODY_BYTES),
            method,
            url,
            headers,
            body,
        })
    }

    /// Method and address for messages.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.method, masked(&self.url))
    }

    /// The span of the call, by the conventions for clients of HTTP.
    pub(super) fn span(&self) -> Span {
        tracing::info_span!(
            target: TRACE_TARGET,
            "http",
            otel.name = self.method.as_str(),
            otel.kind = "client",
            http.request.method = self.method.as_str(),
            url.full = masked(&self.url),
            server.address = self.url.host_str(),
            server.port = self.url.port_or_known_default(),
            http.response.status_code = Empty,
            error.r#type = Empty,
        )
    }

    /// The request, which says by `traceparent` what it is a part of, unless the configuration does.
    pub(super) fn into_request(mut self, traceparent: Option<&str>) -> Request {
        if let Some(Ok(traceparent)) = traceparent.map(HeaderValue::from_str) {
            self.headers.entry(TRACEPARENT).or_insert(traceparent);
        }
        let mut request = Request::new(self.method, self.url);
        *request.headers_mut() = self.headers;
        *request.body_mut() = self.body.map(Into::into);
        request
    }
}

fn method(config: Config<'_>, has_body: bool) -> Result<Method, Misconfigured> {
    let Some(text) = config.text("method")? else {
        return Ok(if has_body { Method::POST } else { Method::GET });
    };
    let known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    let wrong =
        || config.wrong("method", "GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS", &Value::from(text));
    known.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text)).ok_or_else(wrong)
}

fn url(config: Config<'_>) -> Result<Url, Misconfigured> {
    let text =
        config.required_text("url", "write the address to call, such as https://api.example.com/orders")?;
    let mut url = Url::parse(text).map_err(|error| {
        Misconfigured(format!(
            "handler_config.url is not an address: {error}; write e.g. https://api.example.com/orders"
        ))
    })?;
    if !["http", "https"].contains(&url.scheme()) {
        let message = format!("handler_config.url begins with \"{}:\"; write http: or https:", url.scheme());
        return Err(Misconfigured(message));
    }
    if let Some(params) = config.object("params")?.filter(|params| !params.is_empty()) {
        let mut query = url.query_pairs_mut();
        for (name, value) in params.iter().filter(|(_, value)| !value.is_null()) {
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                let text = text_of(value).ok_or_else(|| {
                    let expected = "a text, a number, true, false, or a list of them";
                    config.wrong(&format!("params.{name}"), expected, value)
                })?;
                query.append_pair(name, &text);
            }
        }
    }
    Ok(url)
}

fn headers(config: Config<'_>, step: &StepContext, has_body: bool) -> Result<HeaderMap, Misconfigured> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, JSON);
    headers.insert(reqwest::header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    if has_body {
        headers.insert(CONTENT_TYPE, JSON);
    }
    if let Ok(key) = HeaderValue::from_str(&step.idempotency_key()) {
        headers.insert(IDEMPOTENCY_KEY, key);
    }
    if let Some(Ok(id)) = step.correlation_id().map(HeaderValue::from_str) {
        headers.insert(CORRELATION_ID, id);
    }
    for (name, value) in config.object("headers")?.into_iter().flatten() {
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            Misconfigured(format!("handler_config.headers: {name:?} is not the name of a header"))
        })?;
        if value.is_null() {
            headers.remove(key);
            continue;
        }
        let wrong = || {
            let message = format!("handler_config.headers.{name}: expected a text of visible characters");
            Misconfigured(message)
        };
        let value = HeaderValue::from_str(&text_of(value).ok_or_else(wrong)?).map_err(|_| wrong())?;
        headers.insert(key, value);
    }
    Ok(headers)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn tls(config: Config<'_>, url: &Url) -> Result<Tls, Misconfigured> {
    let ssl = config.inside("ssl")?;
    let (verify, ca_file) = match ssl {
        Some(ssl) => (ssl.flag("verify")?.unwrap_or(true), ssl.text("ca_file")?.map(str::to_owned)),
        None => (true, None),
    };
    Ok(match (url.scheme(), verify) {
        ("http", _) => Tls::Plain,
        (_, true) => Tls::Verified { ca_file },
        (_, false) => Tls::Unverified,
    })
}

impl Tls {
    pub(super) async fn client(&self, surroundings: &Surroundings) -> Result<Client, Misconfigured> {
        let builder = Client::builder().redirect(redirect::Policy::none());
        let builder = match self {
            // No authority is trusted, so that nothing is looked for in the system.
            Self::Plain => builder.tls_certs_only([]),
            Self::Verified { ca_file: None } => builder,
            Self::Verified { ca_file: Some(file) } => {
                let path = surroundings.path(file);
                let wrong = |error: &dyn std::fmt::Display| {
                    Misconfigured(format!("ssl.ca_file: {} cannot be used: {error}", path.display()))
                };
                let pem = tokio::fs::read(&path).await.map_err(|error| wrong(&error))?;
                let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))?;
                builder.tls_certs_merge(certificates)
            }
            Self::Unverified => builder.tls_danger_accept_invalid_certs(true),
        };
        builder.build().map_err(|error| Misconfigured(format!("a connection cannot be made: {error}")))
    }
}
