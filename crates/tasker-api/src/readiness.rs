//! What the process says about itself when it is asked whether it is ready.

use std::time::Duration;

use async_trait::async_trait;

/// Tells whether the process can do its work now.
///
/// ```
/// use tasker_api::{Check, Readiness};
///
/// struct Always;
///
/// #[async_trait::async_trait]
/// impl Readiness for Always {
///     async fn checks(&self) -> Vec<Check> {
///         vec![Check::ok("database")]
///     }
/// }
/// ```
#[async_trait]
pub trait Readiness: Send + Sync {
    /// What was looked at, and how it is: the process is ready if nothing failed.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped if it takes longer than five seconds.
    async fn checks(&self) -> Vec<Check>;
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it was, such as `database`.
    pub name: &'static str,
    /// How it is.
    pub status: Status,
    /// How long the look took, where that means something.
    pub latency: Option<Duration>,
}

/// How a thing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Well.
    Ok,
    /// Not well, for this reason, and the process does its work without it. Everyone can read it: it must hold no secret.
    Degraded(String),
    /// Not well, for this reason. Everyone can read it: it must hold no secret.
    Failed(String),
}

impl Check {
    /// A thing that is well.
    pub fn ok(name: &'static str) -> Self {
        Self { name, status: Status::Ok, latency: None }
    }

    /// A thing that is not well and without which the process goes on, and why.
    pub fn degraded(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, status: Status::Degraded(why.into()), latency: None }
    }

    /// A thing that is not well, and why.
    pub fn failed(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, status: Status::Failed(why.into()), latency: None }
    }

    /// The same, with how long the look took.
    #[must_use]
    pub fn after(mut self, latency: Duration) -> Self {
        self.latency = Some(latency);
        self
    }
}
