//! What handlers see of the process they run in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What the built-in handlers and templates see of the process they run in. Nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    environment: BTreeMap<String, String>,
    exposed: BTreeSet<String>,
    base_dir: PathBuf,
}

/// Why a variable cannot be inserted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VariableError {
    /// It is not one of those that templates may use.
    #[error(
        "the environment variable {0} may not be used in templates; add it to the worker's setting \
         `worker.allow_env`"
    )]
    NotExposed(String),
    /// The worker's environment does not have it.
    #[error("the environment variable {0} is not set where the worker runs")]
    NotSet(String),
}

impl Surroundings {
    /// With this environment: the variables of the process, as read at its start.
    #[must_use]
    pub fn environment<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.environment = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// With these variables open to templates as `${NAME}` (the setting `worker.allow_env`).
    #[must_use]
    pub fn expose<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.exposed = names.into_iter().map(Into::into).collect();
        self
    }

    /// With this folder as the one that relative paths begin at; that of the process if it is empty.
    #[must_use]
    pub fn base_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.base_dir = folder.into();
        self
    }

    /// The value of a variable that templates may use.
    pub(crate) fn exposed(&self, name: &str) -> Result<&str, VariableError> {
        if !self.exposed.contains(name) {
            return Err(VariableError::NotExposed(name.to_owned()));
        }
        let value = self.environment.get(name).ok_or_else(|| VariableError::NotSet(name.to_owned()))?;
        Ok(value)
    }

    /// The variables that templates may use, as far as they are set.
    pub(crate) fn all_exposed(&self) -> impl Iterator<Item = (&String, &String)> {
        self.exposed.iter().filter_map(|name| self.environment.get_key_value(name))
    }

    /// All variables.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// A path as seen from the base folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.base_dir.join(path)
    }
}
