//! How a command ends: its exit code, and what it says when it fails.

use std::process::ExitCode;

use tasker_engine::EngineError;
use tasker_runtime::{OpenError, RunError, SettingsError};
use tasker_store::{CommandError, StoreError};

/// How a command ended. The numbers are part of the interface; `tasker --help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It did what was asked; a task it ran is complete.
    Well,
    /// A task it ran is in error, was cancelled or did not end; or the command failed.
    Badly,
    /// What was asked cannot be: bad arguments, a bad template or context, a file or task that is not there.
    Usage,
    /// The time it was given is up.
    TimedOut,
    /// Someone interrupted it.
    Interrupted,
}

impl Ending {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Badly => 1,
            Self::Usage => 2,
            // As the command `timeout` of coreutils ends.
            Self::TimedOut => 124,
            Self::Interrupted => 130,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending.code())
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// What was asked cannot be: the message says why and what to do instead.
    Usage(String),
    /// Something went wrong on the way.
    Failed(anyhow::Error),
}

/// What a command comes to.
pub(crate) type Outcome = Result<Ending, Trouble>;

/// What was asked cannot be.
pub(crate) fn usage<T>(message: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Usage(message.into()))
}

impl Trouble {
    pub(crate) const fn ending(&self) -> Ending {
        match self {
            Self::Usage(_) => Ending::Usage,
            Self::Failed(_) => Ending::Badly,
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Usage(message) => message.clone(),
            Self::Failed(error) => format!("{error:#}"),
        }
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// How a context is given.
const GIVING: &str = "give it as --context KEY=VALUE, --context '{\"KEY\": VALUE}' or --context @FILE";

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::UnknownTemplate { .. } => {
                let remedy = "`tasker template list` shows what is registered, `tasker template register FILE` registers";
                Self::Usage(format!("{error}; {remedy}"))
            }
            EngineError::Context { template, problems } => {
                let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
                let lines = lines.join("\n");
                Self::Usage(format!("the context does not fit the schema of {template}:\n{lines}\n{GIVING}"))
            }
            EngineError::Field { .. }
            | EngineError::NotFound(_)
            | EngineError::Command(CommandError::NotFound(_)) => Self::Usage(error.to_string()),
            EngineError::Duplicate { .. }
            | EngineError::Command(_)
            | EngineError::Template(_)
            | EngineError::Store(_) => Self::Failed(error.into()),
        }
    }
}

impl From<SettingsError> for Trouble {
    fn from(error: SettingsError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Url { .. } => Self::Usage(error.to_string()),
            OpenError::Unavailable { .. } | OpenError::Store { .. } => Self::Failed(error.into()),
        }
    }
}

impl From<RunError> for Trouble {
    fn from(error: RunError) -> Self {
        match error.code() {
            2 => Self::Usage(error.told()),
            _ => Self::Failed(anyhow::anyhow!(error.told())),
        }
    }
}
