//! What the command gets from outside: variables, the current folder, streams, the clock.
//!
//! Everything comes in by this one value, so that tests can run the command without a process.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use tasker_core::{Clock, SystemClock};
use tasker_runtime::environment;

use crate::terminal::Stream;

/// What the command gets from outside.
pub struct Outside {
    /// Environment variables.
    pub variables: Vec<(String, String)>,
    /// The current folder.
    pub folder: PathBuf,
    /// Standard input.
    pub input: Box<dyn Read + Send>,
    /// Standard output: what was asked for.
    pub output: Stream,
    /// Standard error: progress, notes and errors.
    pub errors: Stream,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Outside {
    /// What the process was started with.
    ///
    /// # Errors
    ///
    /// When there is no current folder.
    pub fn of_process() -> io::Result<Self> {
        Ok(Self {
            variables: environment(),
            folder: std::env::current_dir()?,
            input: Box::new(io::stdin()),
            output: Stream::stdout(),
            errors: Stream::stderr(),
            clock: Arc::new(SystemClock),
        })
    }

    /// An environment variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The name of the account, for the record of who gave a command.
    pub fn user(&self) -> String {
        let names = ["USER", "LOGNAME", "USERNAME"];
        let name = names.into_iter().find_map(|name| self.variable(name));
        name.map(str::to_owned).or_else(account).unwrap_or_else(|| "unknown".to_owned())
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// The name of the account that the process runs as, where the system says so in files.
fn account() -> Option<String> {
    let id = fs::metadata("/proc/self").ok()?.uid().to_string();
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    let names = accounts.lines().filter_map(|line| line.split_once(':'));
    let mut found = names.filter(|(_, rest)| rest.split(':').nth(1) == Some(id.as_str()));
    found.next().map(|(name, _)| name.to_owned())
}
