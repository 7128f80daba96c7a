//! `webhook`: a web service that takes events by POST, signed after the scheme of Standard Webhooks. The guide says what
//! it gets, and what its answers mean.

mod retry_after;
mod signature;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::{Certificate, Client, Method, Request, Response, Url, redirect};
use tasker_core::Clock;

use crate::receiver::{Manner, Order, Receiver, Verdict};
use crate::settings::WebhookSettings;
use crate::wire::Notice;
pub(crate) use signature::key_of;

const AGENT: &str = concat!("tasker/", env!("CARGO_PKG_VERSION"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// A web service that takes events.
pub(crate) struct WebhookReceiver {
    client: Client,
    url: Url,
    /// The address without what may be secret in it.
    shown: String,
    headers: HeaderMap,
    keys: Vec<Vec<u8>>,
    timeout: Duration,
    in_flight: usize,
    clock: Arc<dyn Clock>,
}

impl WebhookReceiver {
    /// # Errors
    ///
    /// The field that cannot be used, and what is wrong with it.
    pub(crate) fn new(
        settings: &WebhookSettings,
        base_dir: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, (&'static str, String)> {
        let url = Url::parse(settings.url.reveal()).map_err(|error| ("url", error.to_string()))?;
        let keys = settings.secrets.iter().map(key_of);
        let keys = keys.collect::<Result<Vec<_>, String>>().map_err(|problem| ("secret", problem))?;
        Ok(Self {
            client: client(&url, settings.ca_file.as_ref().map(|file| base_dir.join(file)))?,
            shown: url.origin().ascii_serialization(),
            url,
            headers: headers(settings).map_err(|problem| ("headers", problem))?,
            keys,
            timeout: settings.timeout,
            in_flight: settings.max_in_flight,
            clock,
        })
    }

    fn request(&self, notice: &Notice) -> Request {
        let mut request = Request::new(Method::POST, self.url.clone());
        let timestamp_seconds = self.clock.now().as_micros().div_euclid(1_000_000);
        let text = |text: String| {
            HeaderValue::try_from(text).expect("invariant: numbers and Base64 are visible characters")
        };
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(ID, text(notice.id.clone()));
        headers.insert(TIMESTAMP, text(timestamp_seconds.to_string()));
        if !self.keys.is_empty() {
            let signatures = signature::signatures(&self.keys, &notice.id, timestamp_seconds, &notice.body);
            headers.insert(SIGNATURE, text(signatures));
        }
        *request.body_mut() = Some(notice.body.clone().into());
        request
    }

    async fn offer(&self, notice: &Notice) -> Verdict {
        let shown = &self.shown;
        match tokio::time::timeout(self.timeout, self.client.execute(self.request(notice))).await {
            Ok(Ok(response)) => self.verdict(&response),
            Ok(Err(error)) => {
                let error = error.without_url();
                Verdict::not_yet(format!("{shown} could not be reached: {}", causes(&error)))
            }
            Err(_) => {
                let seconds = self.timeout.as_secs_f64();
                Verdict::not_yet(format!("{shown} did not answer within {seconds} s"))
            }
        }
    }

    fn verdict(&self, response: &Response) -> Verdict {
        let status = response.status();
        let why = format!("{} answered {status}", self.shown);
        match status.as_u16() {
            200..=299 => Verdict::Taken,
            408 | 425 | 429 => Verdict::NotYet { why, after: self.asked_pause(response) },
            400..=499 => Verdict::Refused(why),
            300..=399 => Verdict::not_yet(format!(
                "{why}; redirects are not followed: write the address it leads to into `url`"
            )),
            _ => Verdict::NotYet { why, after: self.asked_pause(response) },
        }
    }

    fn asked_pause(&self, response: &Response) -> Option<Duration> {
        let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
        retry_after::pause(value, self.clock.now())
    }
}

#[async_trait]
impl Receiver for WebhookReceiver {
    async fn take(&self, notices: &[Arc<Notice>]) -> Verdict {
        for notice in notices {
            match self.offer(notice).await {
                Verdict::Taken => {}
                verdict @ (Verdict::Refused(_) | Verdict::NotYet { .. }) => return verdict,
            }
        }
        Verdict::Taken
    }

    fn manner(&self) -> Manner {
        Manner { in_flight: self.in_flight, batch: 1, order: Order::OfEachTask }
    }
}

fn client(url: &Url, ca_file: Option<PathBuf>) -> Result<Client, (&'static str, String)> {
    // It is no failure that another part of the process has chosen its cryptography already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().redirect(redirect::Policy::none());
    let builder = match (url.scheme(), ca_file) {
        // Without TLS no authority is looked for in the system.
        ("http", _) => builder.tls_certs_only([]),
        (_, None) => builder,
        (_, Some(file)) => builder.tls_certs_merge(authorities(&file)?),
    };
    builder.build().map_err(|error| ("url", format!("no connection can be made to it: {}", causes(&error))))
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, (&'static str, String)> {
    let unusable = |error: &dyn Error| {
        ("ca_file", format!("{} cannot be used: {}; name a PEM file", file.display(), causes(error)))
    };
    let pem = std::fs::read(file).map_err(|error| unusable(&error))?;
    Certificate::from_pem_bundle(&pem).map_err(|error| unusable(&error))
}

fn headers(settings: &WebhookSettings) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, value) in &settings.headers {
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is no name"))?;
        let mut value =
            HeaderValue::from_str(value.reveal()).map_err(|_| format!("the value of {name:?} is no text"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

/// What an error says, and why.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
