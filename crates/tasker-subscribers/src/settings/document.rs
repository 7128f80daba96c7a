//! The words of a settings file, and what is made of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use super::{
    CommandSettings, FileSettings, ReceiverSettings, SettingsError, Start, SubscriberSettings,
    WebhookSettings,
};
use crate::secret::Secret;
use crate::selection::Selection;
use crate::webhook::key_of;

/// Longer than that nobody waits for an answer or for a dead process.
const LONGEST: Duration = Duration::from_hours(1);
const LONGEST_NAME: usize = 64;
const MOST_IN_FLIGHT: usize = 256;

/// A subscriber as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
    events: Vec<String>,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default)]
    tasks: Vec<String>,
    #[serde(default)]
    start: Start,
    source: Option<String>,
    lease_seconds: Option<f64>,
    dead_letters: Option<PathBuf>,
    timeout_seconds: Option<f64>,
    max_in_flight: Option<usize>,
    url: Option<Secret>,
    secret: Option<Secret>,
    previous_secret: Option<Secret>,
    headers: Option<BTreeMap<String, Secret>>,
    ca_file: Option<PathBuf>,
    command: Option<Vec<Secret>>,
    env: Option<BTreeMap<String, Secret>>,
    path: Option<PathBuf>,
    rotate_bytes: Option<u64>,
    keep: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Webhook,
    Command,
    File,
}

/// What is wrong with a field.
type Problem = (String, String);

fn problem(field: &str, text: impl Into<String>) -> Problem {
    (field.to_owned(), text.into())
}

impl TryFrom<Document> for SubscriberSettings {
    type Error = SettingsError;

    fn try_from(document: Document) -> Result<Self, SettingsError> {
        let subscriber = document.name.clone();
        document.read().map_err(|(field, problem)| SettingsError { subscriber, field, problem })
    }
}

impl Document {
    fn read(self) -> Result<SubscriberSettings, Problem> {
        check_name(&self.name)?;
        self.check_belonging()?;
        let source = self.source.clone().unwrap_or_else(|| "tasker".to_owned());
        if source.is_empty() || source.contains(char::is_whitespace) {
            return Err(problem("source", format!("{source:?} is no source; write a word or an address")));
        }
        Ok(SubscriberSettings {
            selection: Selection::read(&self.events, &self.namespaces, &self.tasks)?,
            start: self.start,
            source,
            lease: seconds("lease_seconds", self.lease_seconds, 30)?,
            dead_letters: self.dead_letters.clone(),
            receiver: self.receiver()?,
            name: self.name,
        })
    }

    /// Checks that no field stands here that belongs to another type.
    fn check_belonging(&self) -> Result<(), Problem> {
        use Kind::{Command, File, Webhook};
        let calls: &[Kind] = &[Webhook, Command];
        let fields = [
            ("dead_letters", self.dead_letters.is_some(), calls),
            ("timeout_seconds", self.timeout_seconds.is_some(), calls),
            ("max_in_flight", self.max_in_flight.is_some(), calls),
            ("url", self.url.is_some(), &[Webhook]),
            ("secret", self.secret.is_some(), &[Webhook]),
            ("previous_secret", self.previous_secret.is_some(), &[Webhook]),
            ("headers", self.headers.is_some(), &[Webhook]),
            ("ca_file", self.ca_file.is_some(), &[Webhook]),
            ("command", self.command.is_some(), &[Command]),
            ("env", self.env.is_some(), &[Command]),
            ("path", self.path.is_some(), &[File]),
            ("rotate_bytes", self.rotate_bytes.is_some(), &[File]),
            ("keep", self.keep.is_some(), &[File]),
        ];
        let foreign = fields.iter().find(|(_, is_given, kinds)| *is_given && !kinds.contains(&self.kind));
        foreign.map_or(Ok(()), |(field, ..)| {
            let kind = self.kind.name();
            Err(problem(field, format!("means nothing to a subscriber of type {kind}; take it out")))
        })
    }

    fn receiver(&self) -> Result<ReceiverSettings, Problem> {
        Ok(match self.kind {
            Kind::Webhook => ReceiverSettings::Webhook(self.webhook()?),
            Kind::Command => ReceiverSettings::Command(self.program()?),
            Kind::File => ReceiverSettings::File(self.file()?),
        })
    }

    fn webhook(&self) -> Result<WebhookSettings, Problem> {
        let url = self.url.clone().ok_or_else(|| {
            problem("url", "is missing; write the address to call, such as https://example.com/events")
        })?;
        check_url(&url)?;
        let headers = self.headers.clone().unwrap_or_default();
        headers.iter().try_for_each(|(name, value)| check_header(name, value))?;
        let secrets = [("secret", &self.secret), ("previous_secret", &self.previous_secret)];
        for (field, secret) in secrets {
            if let Some(secret) = secret {
                key_of(secret).map_err(|text| problem(field, text))?;
            }
        }
        if self.secret.is_none() && self.previous_secret.is_some() {
            return Err(problem("previous_secret", "stands without `secret`; write the present one there"));
        }
        Ok(WebhookSettings {
            url,
            secrets: secrets.into_iter().filter_map(|(_, secret)| secret.clone()).collect(),
            headers,
            ca_file: self.ca_file.clone(),
            timeout: seconds("timeout_seconds", self.timeout_seconds, 10)?,
            max_in_flight: in_flight(self.max_in_flight, 8)?,
        })
    }

    fn program(&self) -> Result<CommandSettings, Problem> {
        let missing =
            || problem("command", "is missing or empty; write a list of the program and its arguments");
        let words = self.command.as_ref().ok_or_else(missing)?;
        let (program, args) = words.split_first().ok_or_else(missing)?;
        if program.reveal().is_empty() {
            return Err(missing());
        }
        let env = self.env.clone().unwrap_or_default();
        if let Some(name) = env.keys().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
            return Err(problem("env", format!("{name:?} is not the name of a variable; rename it")));
        }
        Ok(CommandSettings {
            program: program.reveal().to_owned(),
            args: args.to_vec(),
            env,
            timeout: seconds("timeout_seconds", self.timeout_seconds, 30)?,
            max_in_flight: in_flight(self.max_in_flight, 4)?,
        })
    }

    fn file(&self) -> Result<FileSettings, Problem> {
        let path = self.path.clone().filter(|path| path.file_name().is_some());
        let path = path.ok_or_else(|| problem("path", "is missing or names no file; write one"))?;
        if self.rotate_bytes == Some(0) {
            return Err(problem("rotate_bytes", "is 0; write a size in bytes, or leave it out"));
        }
        if self.keep == Some(0) || (self.keep.is_some() && self.rotate_bytes.is_none()) {
            let text = "is 0 or stands without `rotate_bytes`; write both, or leave it out";
            return Err(problem("keep", text));
        }
        Ok(FileSettings { path, rotate_bytes: self.rotate_bytes, keep: self.keep.unwrap_or(5) })
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Command => "command",
            Self::File => "file",
        }
    }
}

fn check_name(name: &str) -> Result<(), Problem> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_fine) {
        let text = format!(
            "{name:?} is no name; write up to {LONGEST_NAME} letters, digits, \"-\", \"_\" and \".\""
        );
        return Err(problem("name", text));
    }
    Ok(())
}

/// The address is not shown: it may hold a secret.
fn check_url(url: &Secret) -> Result<(), Problem> {
    let parsed = Url::parse(url.reveal()).map_err(|error| {
        problem("url", format!("is not an address: {error}; write one such as https://example.com/events"))
    })?;
    if !["http", "https"].contains(&parsed.scheme()) || !parsed.has_host() {
        let text = format!("begins with \"{}:\"; write http:// or https:// and a host", parsed.scheme());
        return Err(problem("url", text));
    }
    Ok(())
}

fn check_header(name: &str, value: &Secret) -> Result<(), Problem> {
    let field = format!("headers.{name}");
    if name.to_ascii_lowercase().starts_with("webhook-") {
        return Err((field, "is written by the subscriber itself; take it out".to_owned()));
    }
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| (field.clone(), "is not the name of a header; rename it".to_owned()))?;
    HeaderValue::from_str(value.reveal())
        .map_err(|_| (field, "holds more than visible characters; take those out".to_owned()))?;
    Ok(())
}

fn seconds(field: &str, given: Option<f64>, default: u64) -> Result<Duration, Problem> {
    let Some(given) = given else { return Ok(Duration::from_secs(default)) };
    let duration = Duration::try_from_secs_f64(given).ok();
    let duration = duration.filter(|duration| !duration.is_zero() && *duration <= LONGEST);
    let text = || format!("is {given}; write seconds, more than 0 and at most {}", LONGEST.as_secs());
    duration.ok_or_else(|| problem(field, text()))
}

fn in_flight(given: Option<usize>, default: usize) -> Result<usize, Problem> {
    let number = given.unwrap_or(default);
    if (1..=MOST_IN_FLIGHT).contains(&number) {
        return Ok(number);
    }
    Err(problem("max_in_flight", format!("is {number}; write a number from 1 to {MOST_IN_FLIGHT}")))
}
