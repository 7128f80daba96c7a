//! How a store connects.

use std::sync::Arc;
use std::time::Duration;

use tasker_core::Clock;

/// How a store connects, and by which clock it goes.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The time; `None` is the database's own clock, so that hosts with skewed clocks agree.
    pub clock: Option<Arc<dyn Clock>>,
    /// The most connections this store opens, besides the one that listens.
    pub max_connections: u32,
    /// How many commits may be in flight at once.
    pub writers: usize,
    /// How this program is called in the server's views and logs.
    pub application_name: String,
    /// Whether to hear at once of what other processes commit.
    pub listen: Listen,
    /// How long a request waits for a connection before the database counts as unavailable.
    pub acquire_timeout: Duration,
}

/// Whether to hear at once of what other processes commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listen {
    /// By a connection of its own on which it listens; where a proxy swallows notifications, by polling.
    #[default]
    On,
    /// Not at all: [`tasker_store::Wake`] tells only of what this store commits.
    Off,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            clock: None,
            max_connections: 8,
            writers: 2,
            application_name: "tasker".to_owned(),
            listen: Listen::default(),
            acquire_timeout: Duration::from_secs(5),
        }
    }
}
