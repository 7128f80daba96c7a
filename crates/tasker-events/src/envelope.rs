//! An event as it is delivered.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use tasker_core::{TaskId, Timestamp};

use crate::catalog::EventId;
use crate::routes::Priority;

/// An event as it is delivered to those who listen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Envelope {
    /// The name, such as `task.completed`.
    pub event: Cow<'static, str>,
    /// The event of the catalog; `None` if a handler emitted one of its own.
    #[serde(skip)]
    pub id: Option<EventId>,
    /// When it was emitted, by the clock of the process.
    pub at: Timestamp,
    /// The task that it is about, if it is about one.
    #[serde(skip)]
    pub task: Option<TaskId>,
    /// How much it matters to those who cannot take all.
    pub priority: Priority,
    /// Further facts, as the catalog lists them.
    pub payload: Value,
}
