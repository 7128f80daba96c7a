//! Why a process did not run, or ended, and its exit code.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use crate::log::LogError;
use crate::open::OpenError;
use crate::settings::SettingsError;

/// An error of any kind, as parts of a process end with it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a process did not run, or ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The log cannot be set up.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Something that the settings name is wrong: a file of bindings, a template.
    #[error("{what}")]
    Refused {
        /// What is wrong, and what to do about it.
        what: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Something that the process needs could not be had.
    #[error("failed to {action}")]
    Start {
        /// What was being done.
        action: String,
        /// Why it failed.
        #[source]
        source: BoxError,
    },
    /// A part of the process failed, and the others were stopped.
    #[error("the {part} failed; all else was stopped in order")]
    Part {
        /// The part.
        part: &'static str,
        /// How it failed.
        #[source]
        source: BoxError,
    },
    /// A second Ctrl-C came before the process had stopped in order.
    #[error("stopped at once by a second Ctrl-C; what ran is given to other workers when its lease ends")]
    Interrupted,
}

impl RunError {
    /// The exit code: 1 a failure at run time, 2 wrong settings or usage, 70 a part of the process failed (a bug), 75
    /// the database could not be reached, 130 a second Ctrl-C.
    pub fn code(&self) -> u8 {
        match self {
            Self::Settings(_) | Self::Log(_) | Self::Refused { .. } | Self::Open(OpenError::Url { .. }) => 2,
            Self::Open(OpenError::Unavailable { .. }) => 75,
            Self::Open(OpenError::Store { .. }) | Self::Start { .. } => 1,
            Self::Part { .. } => 70,
            Self::Interrupted => 130,
        }
    }

    /// The exit code of a process that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    /// Tells the error on standard error, after the name of the program, and gives its exit code.
    pub fn conclude(&self, program: &str) -> ExitCode {
        // Nobody can be told if standard error is closed.
        let _ = writeln!(std::io::stderr(), "{program}: {}", self.told());
        self.exit_code()
    }

    /// The error with its sources, for people.
    pub fn told(&self) -> String {
        told(self)
    }
}

/// An error with its sources, unless a source only repeats what was said.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}
