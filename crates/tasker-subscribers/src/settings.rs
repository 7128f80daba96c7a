//! What settings say of a subscriber.

mod document;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::secret::Secret;
use crate::selection::Selection;
use document::Document;

/// Settings that make no subscriber.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("subscriber {subscriber:?}: {field}: {problem}")]
pub struct SettingsError {
    /// Which subscriber.
    pub subscriber: String,
    /// Which field.
    pub field: String,
    /// What is wrong with it, and what to do instead.
    pub problem: String,
}

/// One subscriber, checked. It is read from any format that serde knows; the guide in front of the crate lists the fields.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Document")]
pub struct SubscriberSettings {
    /// Its name.
    pub name: String,
    /// Which events it wants.
    pub selection: Selection,
    /// Where it begins.
    pub start: Start,
    /// What events give as their source.
    pub source: String,
    /// How long its place in the feed is held by a process that no longer says so.
    pub lease: Duration,
    /// Where refused events are kept.
    pub dead_letters: Option<PathBuf>,
    /// Who takes the events.
    pub receiver: ReceiverSettings,
}

/// Where a subscriber begins whose name has no place in the feed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the end: it gets what happens from now on.
    #[default]
    Now,
    /// At the beginning: it gets all that is still recorded.
    Beginning,
}

/// Who takes the events.
#[derive(Debug, Clone, PartialEq)]
pub enum ReceiverSettings {
    /// A web service.
    Webhook(WebhookSettings),
    /// A program, run for each event.
    Command(CommandSettings),
    /// A file, with a line for each event.
    File(FileSettings),
}

impl ReceiverSettings {
    /// The word of settings.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Command(_) => "command",
            Self::File(_) => "file",
        }
    }
}

/// A web service that takes events.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookSettings {
    /// Its address, which may hold a secret.
    pub url: Secret,
    /// What calls are signed with: the present secret, and the one before.
    pub secrets: Vec<Secret>,
    /// A PEM file of authorities trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Further headers.
    pub headers: BTreeMap<String, Secret>,
    /// How long one call may take.
    pub timeout: Duration,
    /// For how many tasks at the same time.
    pub max_in_flight: usize,
}

/// A program that takes events.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandSettings {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub args: Vec<Secret>,
    /// Further variables.
    pub env: BTreeMap<String, Secret>,
    /// How long one run may take.
    pub timeout: Duration,
    /// For how many tasks at the same time.
    pub max_in_flight: usize,
}

/// A file that takes events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// Its path.
    pub path: PathBuf,
    /// Past which size it is renamed.
    pub rotate_bytes: Option<u64>,
    /// How many renamed ones are kept.
    pub keep: u32,
}

/// Checks that no name stands twice.
pub(crate) fn check_names(subscribers: &[SubscriberSettings]) -> Result<(), SettingsError> {
    let names = subscribers.iter().map(|subscriber| (subscriber, "name", subscriber.name.as_str()));
    let problem = "stands twice; two subscribers of one name would share one place in the feed: rename one";
    check_unique(names, problem)
}

/// Checks that no two write to the same file: they would keep each other from it.
pub(crate) fn check_paths(subscribers: &[SubscriberSettings]) -> Result<(), SettingsError> {
    let paths = subscribers.iter().flat_map(|subscriber| {
        let file = match &subscriber.receiver {
            ReceiverSettings::File(file) => Some(("path", file.path.as_path())),
            ReceiverSettings::Webhook(_) | ReceiverSettings::Command(_) => None,
        };
        let letters = subscriber.dead_letters.as_deref().map(|path| ("dead_letters", path));
        file.into_iter().chain(letters).map(move |(field, path)| (subscriber, field, path))
    });
    check_unique(paths, "is written by another subscriber, too; give each a file of its own")
}

fn check_unique<'a, T: PartialEq>(
    values: impl Iterator<Item = (&'a SubscriberSettings, &'static str, T)>,
    problem: &str,
) -> Result<(), SettingsError> {
    let mut seen = Vec::new();
    for (subscriber, field, value) in values {
        if seen.contains(&value) {
            let (subscriber, field) = (subscriber.name.clone(), field.to_owned());
            return Err(SettingsError { subscriber, field, problem: problem.to_owned() });
        }
        seen.push(value);
    }
    Ok(())
}
