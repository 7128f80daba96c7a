//! The handlers that make the stock worker useful without writing Rust.

mod command;
mod http;
mod noop;
mod transform;
mod wait;

use std::str::FromStr;
use std::sync::Arc;

use crate::config::Shape;
use crate::handler::StepHandler;
use crate::surroundings::Surroundings;

pub use command::CommandHandler;
pub use http::HttpHandler;
pub use noop::NoopStep;
pub use transform::TransformHandler;
pub use wait::WaitHandler;

/// The built-in handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    Http,
    Command,
    Transform,
    Wait,
    Noop,
}

impl BuiltIn {
    pub(crate) const ALL: [Self; 5] = [Self::Http, Self::Command, Self::Transform, Self::Wait, Self::Noop];

    /// The names they answer to.
    pub(crate) const NAMES: [(&'static str, Self); 6] = [
        ("http", Self::Http),
        ("api", Self::Http),
        ("command", Self::Command),
        ("transform", Self::Transform),
        ("wait", Self::Wait),
        ("noop", Self::Noop),
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Command => "command",
            Self::Transform => "transform",
            Self::Wait => "wait",
            Self::Noop => "noop",
        }
    }

    /// The names they answer to, for a message.
    pub(crate) fn names() -> String {
        Self::NAMES.map(|(name, _)| name).join(", ")
    }

    /// The fields of their configuration.
    pub(crate) fn fields(self) -> &'static [(&'static str, Shape)] {
        match self {
            Self::Http => http::FIELDS,
            Self::Command => command::FIELDS,
            Self::Transform => transform::FIELDS,
            Self::Wait => wait::FIELDS,
            Self::Noop => noop::FIELDS,
        }
    }

    pub(crate) fn handler(self, surroundings: &Arc<Surroundings>) -> Arc<dyn StepHandler> {
        match self {
            Self::Http => Arc::new(HttpHandler::new(surroundings)),
            Self::Command => Arc::new(CommandHandler::new(Arc::clone(surroundings))),
            Self::Transform => Arc::new(TransformHandler::default()),
            Self::Wait => Arc::new(WaitHandler),
            Self::Noop => Arc::new(NoopStep),
        }
    }
}

impl FromStr for BuiltIn {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, built_in)| *built_in).ok_or(())
    }
}
