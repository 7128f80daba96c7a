//! What a server that is ready says of itself.

use std::fmt;
use std::net::SocketAddr;

/// What a server that is ready says of itself, on one line: `sqlite:.tasker/tasker.db, http://127.0.0.1:8484, worker off`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The URL of the database, its password masked.
    pub database: String,
    /// The address of the HTTP interface, if there is one.
    pub http: Option<SocketAddr>,
    /// How many steps the worker runs at once, if there is one.
    pub worker: Option<u32>,
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.database)?;
        match self.http {
            Some(address) => write!(f, ", http://{address}")?,
            None => f.write_str(", http off")?,
        }
        match self.worker {
            Some(concurrency) => write!(f, ", worker of {concurrency} steps at once"),
            None => f.write_str(", worker off"),
        }
    }
}
