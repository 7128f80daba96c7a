//! What is in a payload.

use serde::Serialize;

/// One field of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The name; of a `task`, a `step` or an `attempt` what stands for its own fields.
    pub name: &'static str,
    /// The type in Rust, without references.
    pub rust: &'static str,
    /// What it is.
    pub about: &'static str,
}
