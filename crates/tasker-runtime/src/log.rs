//! The log: what the process says about itself, on its standard error.

mod events;
mod logfmt;

use std::io::{self, IsTerminal};
use std::str::FromStr;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::environment::refuses_colour;
use crate::settings::{Color, LogFormat, LogSettings};
use logfmt::{Logfmt, LogfmtFields};

pub(crate) use events::EventLog;

/// What can be written for a level, to go after "write".
pub(crate) const LEVELS: &str =
    "error, warn, info, debug, trace or off, or by part such as info,tasker_engine=debug";

/// Why the log cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The level is neither a word nor a list of parts.
    #[error("log.level is {level:?}: write {LEVELS}")]
    Level {
        /// The level given.
        level: String,
    },
    /// There is a log in this process already.
    #[error("the log is set up already")]
    Taken,
}

/// Sets up the log of the process.
///
/// # Errors
///
/// [`LogError`] if the level makes no sense, or there is a log already.
pub fn init_logging(settings: &LogSettings) -> Result<(), LogError> {
    let filter = filter(&settings.level)?;
    let is_coloured = match settings.color {
        Color::Auto => io::stderr().is_terminal() && !refuses_colour(),
        Color::Always => true,
        Color::Never => false,
    };
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match settings.format {
        LogFormat::Pretty => lines.with_ansi(is_coloured).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Logfmt => lines.with_ansi(false).fmt_fields(LogfmtFields).event_format(Logfmt).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().map_err(|_| LogError::Taken)
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
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_word_or_a_list_of_parts() {
        for level in ["info", "WARN", "off", "info,tasker_engine=debug", "tasker_store=trace, warn"] {
            assert!(filter(level).is_ok(), "{level}");
        }
        for level in ["", "inof", "info;debug", "tasker_engine=loud", "info,"] {
            assert!(filter(level).is_err(), "{level}");
        }
    }
}
