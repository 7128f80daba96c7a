//! What is wrong with settings, where, and what to do about it.

use std::fmt;

use super::Origin;

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsProblem {
    /// A name that is no setting.
    #[error("{origin}: there is no setting {name:?}; {remedy}")]
    Unknown {
        /// The name as written there: a key, or an environment variable.
        name: String,
        /// Where it stands.
        origin: Origin,
        /// What to write instead.
        remedy: String,
    },
    /// A value of the wrong type.
    #[error("{origin}: {key} is {value}: write {expected}")]
    WrongType {
        /// The setting.
        key: String,
        /// The value given.
        value: String,
        /// What may be written.
        expected: String,
        /// Where it stands.
        origin: Origin,
    },
    /// A value that makes no sense.
    #[error("{origin}: {key} is {value}: {remedy}")]
    Refused {
        /// The setting.
        key: String,
        /// The value given.
        value: String,
        /// What to write instead.
        remedy: String,
        /// Where it stands.
        origin: Origin,
    },
    /// A file that cannot be read, or is not TOML.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// Why it cannot be read.
        reason: String,
    },
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// The problems: at least one.
    pub problems: Vec<SettingsProblem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings cannot be used:")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}
