//! Why the engine did not do what was asked.

use tasker_core::{ContextProblem, TaskId, TemplateKey, TemplateRequest};
use tasker_store::{CommandError, StoreError, SubmitError, TemplateConflict};

/// Why the engine did not do what was asked. Nothing was changed, except after [`EngineError::Store`],
/// where the store may or may not have done it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No stored template answers the request.
    #[error("no template {request} is registered{}", known_versions(.known))]
    UnknownTemplate {
        /// What was asked for.
        request: TemplateRequest,
        /// The versions of that name that are registered.
        known: Vec<TemplateKey>,
    },
    /// The context does not fit the template's schema.
    #[error("the context does not fit the schema of {template}: {}", listed(.problems))]
    Context {
        /// The template.
        template: TemplateKey,
        /// What does not fit.
        problems: Vec<ContextProblem>,
    },
    /// A field of a submission cannot be used.
    #[error("{field} {value:?} cannot be used: {remedy}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it held, shortened.
        value: String,
        /// What to write instead.
        remedy: &'static str,
    },
    /// An equal task exists, and the submission asked to refuse duplicates.
    #[error(
        "this is a duplicate of task {existing}: submit with another key or context, or ask for the existing task"
    )]
    Duplicate {
        /// The task that exists.
        existing: TaskId,
    },
    /// There is no such task or step.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The command was refused.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The key of a template is taken by another content.
    #[error(transparent)]
    Template(#[from] TemplateConflict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why none of several tasks was made.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    /// A request is wrong: the first of those that are.
    #[error("request {index} of the submission, counted from 0, is refused")]
    Request {
        /// Its place in the submission, from 0.
        index: usize,
        /// What is wrong with it.
        source: EngineError,
    },
    /// The store failed, and may or may not have made the tasks.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SubmissionError {
    pub(crate) fn of(index: usize, error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => Self::Store(error),
            source => Self::Request { index, source },
        }
    }
}

impl From<SubmitError> for SubmissionError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Duplicate { index, existing } => {
                Self::Request { index, source: EngineError::Duplicate { existing } }
            }
            SubmitError::IdTaken { index, id } => {
                Self::Request { index, source: EngineError::NotFound(format!("a free id in place of {id}")) }
            }
            SubmitError::UnknownPlan { index } => {
                Self::Request { index, source: EngineError::NotFound("the plan of its template".to_owned()) }
            }
        }
    }
}

/// What is wrong with a request that stood alone.
impl From<SubmissionError> for EngineError {
    fn from(error: SubmissionError) -> Self {
        match error {
            SubmissionError::Request { source, .. } => source,
            SubmissionError::Store(error) => Self::Store(error),
        }
    }
}

fn known_versions(known: &[TemplateKey]) -> String {
    if known.is_empty() {
        return String::new();
    }
    let versions: Vec<_> = known.iter().map(|key| key.version.to_string()).collect();
    format!("; registered versions: {}", versions.join(", "))
}

fn listed(problems: &[ContextProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
