//! The log: what the process says about itself, on its standard error.

mod control;
mod events;
mod fields;
mod form;
mod layer;
mod line;
mod quoted;

use std::io::{self, IsTerminal, Write};
use std::str::FromStr;
use std::sync::Arc;

use tasker_core::SystemClock;
use tasker_events::{Redaction, RedactionError};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::environment::{host_and_process, program_name, refuses_colour};
use crate::settings::{Color, LogSettings};
use form::Form;
use layer::Lines;
use line::Origin;

pub use control::LogControl;
pub(crate) use events::EventLog;

/// What can be written for a level, to go after "write".
pub(crate) const LEVELS: &str =
    "error, warn, info, debug, trace or off, or by part such as info,tasker_engine=debug";

/// Why the log cannot be set up, or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The level is neither a word nor a list of parts.
    #[error("log.level is {level:?}: write {LEVELS}")]
    Level {
        /// The level given.
        level: String,
    },
    /// What is to be redacted makes no sense.
    #[error("log.redact: {0}")]
    Redact(#[from] RedactionError),
    /// There is a log in this process already.
    #[error("the log is set up already")]
    Taken,
    /// The log whose level was to be changed is no longer there.
    #[error("there is no log any more whose level could be changed")]
    Gone,
}

/// The part of a subscriber that writes the log.
pub type LogLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Sets up the log of the process, and gives what changes its level.
///
/// # Errors
///
/// [`LogError`] if the level or what is to be redacted makes no sense, or there is a log already.
pub fn init_logging(settings: &LogSettings) -> Result<LogControl, LogError> {
    let (layer, control) = log_layer(settings)?;
    tracing_subscriber::registry().with(layer).try_init().map_err(|_| LogError::Taken)?;
    Ok(control)
}

/// The log as one layer of a subscriber that has others, and what changes its level.
///
/// # Errors
///
/// [`LogError`] if the level or what is to be redacted makes no sense.
pub fn log_layer(settings: &LogSettings) -> Result<(LogLayer, LogControl), LogError> {
    let (filter, control) = LogControl::begin(&settings.level)?;
    let is_coloured = match settings.color {
        Color::Auto => io::stderr().is_terminal() && !refuses_colour(),
        Color::Always => true,
        Color::Never => false,
    };
    let lines = Lines {
        form: Form { format: settings.format, is_coloured, origin: origin() },
        redaction: settings.redaction()?,
        clock: Arc::new(SystemClock),
        // Nobody can be told if standard error is closed. One call a line keeps the lines of many threads apart.
        paper: Arc::new(|line| drop(io::stderr().lock().write_all(line.as_bytes()))),
    };
    Ok((lines.with_filter(filter).boxed(), control))
}

impl LogSettings {
    /// What is not told: what is called like a secret, and what `redact` names.
    ///
    /// # Errors
    ///
    /// If a pattern can match no name.
    pub fn redaction(&self) -> Result<Redaction, RedactionError> {
        Redaction::default().with_all(self.redact.iter().map(String::as_str))
    }
}

fn origin() -> Origin {
    Origin {
        service: program_name().unwrap_or_else(|| "tasker".to_owned()),
        version: env!("CARGO_PKG_VERSION"),
        process: std::process::id(),
        instance: host_and_process(),
    }
}

/// What a level lets through.
///
/// # Errors
///
/// [`LogError::Level`] if it is not one. A word that is no level is refused: it would be taken for the name of a part,
/// and silence all others.
pub(crate) fn filter(level: &str) -> Result<Targets, LogError> {
    let is_level = |word: &str| !word.is_empty() && LevelFilter::from_str(word).is_ok();
    let is_known = |directive: &str| directive.contains('=') || is_level(directive);
    let refused = || LogError::Level { level: level.to_owned() };
    if !level.split(',').all(|directive| is_known(directive.trim())) {
        return Err(refused());
    }
    Targets::from_str(level).map_err(|_| refused())
}

#[cfg(test)]
mod tests;
