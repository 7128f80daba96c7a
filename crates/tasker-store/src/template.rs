//! Templates and plans as they are stored.

use std::sync::Arc;

use tasker_core::{TaskTemplate, TemplateKey, Timestamp};

/// The number of a stored template. Templates are immutable: a changed one has another number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(pub i64);

/// The number of a plan: a template prepared for tasks of one priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanId(pub i64);

/// What to do if the namespace, name and version are taken by a template with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenTaken {
    /// Refuse: versions are promises.
    Refuse,
    /// Take its place for new tasks. Tasks that exist keep what they were made with.
    Replace,
}

/// A template to be stored.
#[derive(Debug, Clone)]
pub struct PutTemplate {
    /// The template.
    pub template: Arc<TaskTemplate>,
    /// What to do if its key is taken.
    pub when_taken: WhenTaken,
}

/// The key of a template is taken by another content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{key} is already registered with other content: give the template a new version, or ask to replace it"
)]
pub struct TemplateConflict {
    /// The key that is taken.
    pub key: TemplateKey,
}

/// A template and its number.
#[derive(Debug, Clone)]
pub struct StoredTemplate {
    /// Its number.
    pub id: TemplateId,
    /// The template.
    pub template: Arc<TaskTemplate>,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// A plan and the template it was made from.
#[derive(Debug, Clone)]
pub struct StoredPlan {
    /// Its number.
    pub id: PlanId,
    /// The template.
    pub template: Arc<TaskTemplate>,
    /// What is added to the priority of every step.
    pub priority: i32,
}
