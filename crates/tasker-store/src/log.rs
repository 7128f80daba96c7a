//! What attempts logged.

use serde::{Deserialize, Serialize};
use tasker_core::{LeaseKey, Timestamp};

/// One line that an attempt logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, by the store's clock as the worker knows it.
    pub at: Timestamp,
    /// The line, without its end.
    pub text: String,
}

/// Lines of one attempt, in the order in which they were logged. An attempt may have many of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptLog {
    /// The step and the attempt.
    pub key: LeaseKey,
    /// The lines.
    pub lines: Vec<LogLine>,
}

impl AttemptLog {
    /// One for each attempt: neighbours of the same attempt become one.
    #[must_use]
    pub fn joined(logs: Vec<Self>) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::with_capacity(logs.len());
        for log in logs {
            match joined.last_mut() {
                Some(last) if last.key == log.key => last.lines.extend(log.lines),
                _ => joined.push(log),
            }
        }
        joined
    }
}
