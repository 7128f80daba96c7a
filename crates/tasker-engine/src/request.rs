//! What someone who wants a task run says.

use serde_json::Value;
use tasker_core::{IdentityStrategy, OnDuplicate, StepName, TemplateRequest, Timestamp};

/// A wish to have a task run.
#[derive(Debug, Clone)]
pub struct TaskRequest {
    /// Which template; the version may be `latest` or a range, and is pinned when the task is made.
    pub template: TemplateRequest,
    /// What the task is about: a JSON object.
    pub context: Value,
    /// Who asks; at most 128 characters.
    pub initiator: String,
    /// From which system; at most 128 characters.
    pub source_system: String,
    /// Why; at most 128 characters.
    pub reason: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Steps the caller wants bypassed; kept with the task.
    pub bypass_steps: Vec<StepName>,
    /// Added to the priority of every step, −100 to 100.
    pub priority: i32,
    /// What makes two submissions the same task; `None` is the engine's setting.
    pub identity: Option<IdentityStrategy>,
    /// What to do about a duplicate.
    pub on_duplicate: OnDuplicate,
    /// When it was asked for, if not now.
    pub requested_at: Option<Timestamp>,
    /// What all that one request causes has in common, a [`CorrelationId`](tasker_core::CorrelationId); one is made up
    /// where none is given.
    pub correlation_id: Option<String>,
    /// The span that asks, as W3C Trace Context writes it; the task's trace links to it. What is none is ignored.
    pub traceparent: Option<String>,
}

impl TaskRequest {
    /// A request with everything but template and context left at its default.
    pub fn new(template: TemplateRequest, context: Value) -> Self {
        Self {
            template,
            context,
            initiator: "unknown".to_owned(),
            source_system: "unknown".to_owned(),
            reason: "unknown".to_owned(),
            tags: Vec::new(),
            bypass_steps: Vec::new(),
            priority: 0,
            identity: None,
            on_duplicate: OnDuplicate::Refuse,
            requested_at: None,
            correlation_id: None,
            traceparent: None,
        }
    }
}
