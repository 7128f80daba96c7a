//! What a task is: ids, names, templates, graph, states, readiness, backoff and outcome.
//!
//! Everything here is data and pure functions. This crate knows no clock, no store, no network and
//! no runtime: time and chance come in by argument.

mod analysis;
mod backoff;
mod canonical;
mod correlation;
mod event_name;
mod graph;
mod id;
mod identity;
mod name;
mod outcome;
mod progress;
mod readiness;
mod schema;
mod state;
mod template;
mod template_key;
mod time;
mod version;

pub use analysis::{
    AnalysisEdge, AnalysisNode, AnalysisSummary, EdgeKind, GraphAnalysis, TemplateAnalysis, analyze,
    analyze_graph,
};
pub use backoff::{Backoff, BackoffError, BackoffOverride};
pub use canonical::{canonical_digest, canonical_json};
pub use correlation::{CorrelationId, CorrelationIdError};
pub use event_name::{EventName, EventNameError};
pub use graph::{Graph, GraphError, MAX_STEPS, cycles};
pub use id::{LeaseKey, StepId, TaskId, WorkerId};
pub use identity::{
    Identity, IdentityFacts, IdentityKey, IdentityKeyError, IdentityStrategy, OnDuplicate, Uniqueness,
};
pub use name::{HandlerName, NameError, Namespace, QueueName, StepName, TaskName};
pub use outcome::{Failure, FailureKind, Outcome, When};
pub use progress::{ExecutionStatus, Health, Progress, RecommendedAction, StepTally};
pub use readiness::{Readiness, StepFacts, readiness};
pub use schema::{ContextProblem, ContextSchema, SchemaError};
pub use state::{IllegalTransition, State, StepEvent, TaskEvent};
pub use template::{
    CustomEvent, ParseOptions, Parsed, Problem, RetryPolicy, Severity, StepTemplate, TaskTemplate,
    TemplateErrors, read_document,
};
pub use template_key::{TemplateKey, TemplateRequest, TemplateRequestError};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
pub use version::{Version, VersionError, VersionRequest};
