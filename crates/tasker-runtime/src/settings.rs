//! Settings: what they are, where they come from, and what is wrong with them.
//!
//! Every setting is declared once, in `sections.rs`, with its type, default, range and meaning; reading, checking,
//! printing and the reference page all follow from that.

mod advice;
mod checks;
mod convert;
mod kind;
mod layers;
mod print;
mod problem;
mod reference;
mod routes;
mod secret;
mod section;
mod sections;
mod subscribers;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use kind::Kind;
pub(crate) use layers::PREFIX as VARIABLE_PREFIX;
pub use print::print_config;
pub use problem::{SettingsError, SettingsProblem};
pub use reference::settings_reference;
pub use routes::{RouteProblem, RouteSetting};
pub use secret::Secret;
pub use section::Setting;
pub use sections::{
    AgentsSection, BackoffSection, Color, DatabaseSettings, Durability, EngineSection, EventsSection,
    HttpSettings, IdentityRule, LogFormat, LogSettings, TemplatesSection, TracesProtocol, TracesSettings,
    WorkerSettings,
};
pub use subscribers::SubscriberSetting;

use section::Section;

/// The file that is read if none is named.
pub const DEFAULT_FILE: &str = "tasker.toml";

/// All settings of a process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the work is kept.
    pub database: DatabaseSettings,
    /// How submissions are taken.
    pub engine: EngineSection,
    /// How steps are run.
    pub worker: WorkerSettings,
    /// The agents.
    pub agents: AgentsSection,
    /// How long a failed attempt waits.
    pub backoff: BackoffSection,
    /// What the process says.
    pub log: LogSettings,
    /// Where events go.
    pub events: EventsSection,
    /// Where traces go.
    pub traces: TracesSettings,
    /// The HTTP interface.
    pub http: HttpSettings,
    /// Templates that are registered at the start.
    pub templates: TemplatesSection,
}

/// Where settings come from; each source overrules those before it.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file. If it is named it must exist; else [`DEFAULT_FILE`] is read if it is there.
    pub file: Option<PathBuf>,
    /// Environment variables: those that begin with `TASKER__` are settings, the others are passed over.
    pub environment: Vec<(String, String)>,
    /// Keys such as `worker.concurrency`, and values, of the command line.
    pub overrides: Vec<(String, String)>,
}

/// Where the value of a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody wrote it.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Variable(String),
    /// The command line.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// Settings, and where each came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// By key, such as `worker.concurrency`, where the value came from; what is not here is a default.
    pub origins: BTreeMap<String, Origin>,
}

impl Loaded {
    /// Where the value of `key` came from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }
}

impl Settings {
    /// Reads settings from all sources, and checks them.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them, not only the first.
    pub fn load(sources: &Sources) -> Result<Loaded, SettingsError> {
        layers::load(sources)
    }

    /// Every setting there is, by section.
    pub fn all() -> Vec<Setting> {
        sections().into_iter().flat_map(|(_, settings)| settings).collect()
    }
}

/// What each section is about, and its settings.
fn sections() -> Vec<(String, Vec<Setting>)> {
    fn of<S: Section>() -> (String, Vec<Setting>) {
        (S::about(), S::settings())
    }
    vec![
        of::<DatabaseSettings>(),
        of::<EngineSection>(),
        of::<WorkerSettings>(),
        of::<AgentsSection>(),
        of::<BackoffSection>(),
        of::<LogSettings>(),
        of::<EventsSection>(),
        of::<TracesSettings>(),
        of::<HttpSettings>(),
        of::<TemplatesSection>(),
    ]
}

#[cfg(test)]
mod tests;
