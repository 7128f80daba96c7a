//! What a worker that is ready says of itself.

use std::fmt;
use std::net::SocketAddr;

use tasker_core::HandlerName;

/// What a worker that is ready says of itself, on one line:
/// `sqlite:.tasker/tasker.db, queues default, 64 steps at once, handlers http, noop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The URL of the database, its password masked.
    pub database: String,
    /// The queues it serves.
    pub queues: Vec<String>,
    /// How many steps it runs at once.
    pub concurrency: u32,
    /// The handlers it offers.
    pub handlers: Vec<HandlerName>,
    /// The address at which it answers health checks, if it does.
    pub health: Option<SocketAddr>,
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers: Vec<&str> = self.handlers.iter().map(HandlerName::as_str).collect();
        write!(f, "{}, queues {}, {} steps at once", self.database, self.queues.join(" "), self.concurrency)?;
        if let Some(address) = self.health {
            write!(f, ", health at http://{address}")?;
        }
        write!(f, ", handlers {}", handlers.join(" "))
    }
}
