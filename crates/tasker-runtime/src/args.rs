//! The flags that all binaries have.

use std::path::PathBuf;

use crate::environment::environment;
use crate::settings::{Loaded, Settings, SettingsError, Sources};

/// Where the settings come from.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SettingsArgs {
    /// The settings file; tasker.toml if it is there.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The database: sqlite:PATH, postgres://…, or memory:.
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// Any setting, such as worker.concurrency=8; may be given many times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
    /// How many seconds to wait at the start for a database that cannot be reached.
    #[arg(long, value_name = "SECONDS")]
    pub wait_for_database: Option<u32>,
    /// Prints the settings that hold and where each came from, and ends.
    #[arg(long)]
    pub print_config: bool,
}

impl SettingsArgs {
    /// Reads the settings: from the file, from the environment and from these flags, over which `more` goes.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the settings.
    pub fn load(&self, more: Vec<(String, String)>) -> Result<Loaded, SettingsError> {
        Settings::load(&self.sources(environment(), more))
    }

    /// The sources of the settings.
    pub fn sources(&self, environment: Vec<(String, String)>, more: Vec<(String, String)>) -> Sources {
        let mut overrides = self.set.clone();
        overrides.extend(self.database.clone().map(|url| ("database.url".to_owned(), url)));
        let wait = self.wait_for_database.map(|seconds| seconds.to_string());
        overrides.extend(wait.map(|seconds| ("database.wait_seconds".to_owned(), seconds)));
        overrides.extend(more);
        Sources { file: self.config.clone(), environment, overrides }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as worker.concurrency=8")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
