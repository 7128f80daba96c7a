//! The model: a template and its steps, as the engine uses them.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::backoff::{Backoff, BackoffOverride};
use crate::canonical::hex;
use crate::event_name::EventName;
use crate::graph::Graph;
use crate::name::{HandlerName, Namespace, QueueName, StepName, TaskName};
use crate::schema::ContextSchema;
use crate::template_key::TemplateKey;
use crate::version::Version;

/// The versioned, immutable recipe of a task. Only reading a definition makes one, so its steps
/// always form a graph.
#[derive(Debug, Clone)]
pub struct TaskTemplate {
    /// The namespace (`namespace_name`).
    pub namespace: Namespace,
    /// The name within the namespace.
    pub name: TaskName,
    /// The version.
    pub version: Version,
    /// What the task is for.
    pub description: Option<String>,
    /// Whether steps that do not wait for each other may run at the same time.
    pub concurrent: bool,
    /// The handler class of the whole task in the Rails engine (`task_handler_class`); has no effect.
    pub handler_class: Option<String>,
    /// The Ruby module of that class; has no effect.
    pub module_namespace: Option<String>,
    /// The JSON Schema of the task's context.
    pub schema: Option<Value>,
    /// Events that handlers of the template may publish.
    pub custom_events: Vec<CustomEvent>,
    /// The steps, in the order of the file: the index of a step is its ordinal.
    pub steps: Vec<StepTemplate>,
    /// The definition that was read, the environment's overlay applied: what is stored.
    pub definition: Value,
    pub(super) derived: Arc<Derived>,
}

/// What follows from the rest of a template, computed once.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) dependencies: Graph,
    /// Differs from `dependencies` where the template is not concurrent.
    pub(super) sequence: Option<Graph>,
    pub(super) ordinals: HashMap<StepName, u32>,
    pub(super) context_schema: Option<ContextSchema>,
    pub(super) digest: [u8; 32],
}

/// The recipe of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepTemplate {
    /// The name, unique in the template.
    pub name: StepName,
    /// Who runs it (`handler_class`).
    pub handler: HandlerName,
    /// What the step is for.
    pub description: Option<String>,
    /// The outside system the step talks to; its own, or the template's `default_dependent_system`.
    pub dependent_system: Option<String>,
    /// The steps whose results it needs: the union of `depends_on_step` and `depends_on_steps`.
    pub depends_on: Vec<StepName>,
    /// What the handler is given: an object, or null.
    pub handler_config: Value,
    /// Whether, how often and after which waits a failed attempt is repeated.
    pub retry: RetryPolicy,
    /// Whether the step may be left out.
    pub skippable: bool,
    /// The seconds after which an attempt is stopped; no limit of its own if absent.
    pub timeout_seconds: Option<u32>,
    /// The queue its work waits in.
    pub queue: QueueName,
    /// From -100 to 100; of the steps that may run, the higher goes first.
    pub priority: i32,
    /// Events that the handler may publish.
    pub custom_events: Vec<CustomEvent>,
}

/// Whether, how often and after which waits a failed attempt is repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// How many attempts there may be in total (`default_retry_limit`; 3).
    pub limit: u32,
    /// Whether there may be more than one at all (`default_retryable`; true).
    pub retryable: bool,
    /// The waits, over the standard ones; see [`RetryPolicy::backoff_over`] for an engine's own.
    pub backoff: Backoff,
    /// What the step itself says about its waits.
    pub backoff_override: BackoffOverride,
}

/// An event that a handler may publish besides the engine's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomEvent {
    /// The name.
    pub name: EventName,
    /// When it is published.
    pub description: Option<String>,
    /// The handlers that publish it; of an event of a step, its own handler if none is named.
    pub fired_by: Vec<String>,
}

impl TaskTemplate {
    /// The order in which steps run: dependencies and, unless the template is concurrent, edges that
    /// chain all steps in topological order.
    pub fn graph(&self) -> &Graph {
        self.derived.sequence.as_ref().unwrap_or(&self.derived.dependencies)
    }

    /// The dependencies alone: which steps need which results.
    pub fn dependencies(&self) -> &Graph {
        &self.derived.dependencies
    }

    /// The step called `name`, and its ordinal.
    pub fn step(&self, name: &StepName) -> Option<(u32, &StepTemplate)> {
        let ordinal = *self.derived.ordinals.get(name)?;
        Some((ordinal, self.steps.get(ordinal as usize)?))
    }

    /// What identifies the template.
    pub fn key(&self) -> TemplateKey {
        TemplateKey {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            version: self.version.clone(),
        }
    }

    /// The compiled schema of the context.
    pub fn context_schema(&self) -> Option<&ContextSchema> {
        self.derived.context_schema.as_ref()
    }

    /// The SHA-256 of the definition's canonical JSON: equal for equal definitions, whatever the order of
    /// their keys.
    pub fn digest(&self) -> [u8; 32] {
        self.derived.digest
    }

    /// The digest as 64 hexadecimal digits.
    pub fn digest_hex(&self) -> String {
        hex(&self.derived.digest)
    }
}

impl RetryPolicy {
    /// How many attempts there may be in total: at least one, and no more where retries are off.
    pub fn max_attempts(&self) -> u32 {
        if self.retryable { self.limit.max(1) } else { 1 }
    }

    /// The waits, where what the step leaves out is `base`.
    pub fn backoff_over(&self, base: &Backoff) -> Backoff {
        self.backoff_override.over(base)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            limit: 3,
            retryable: true,
            backoff: Backoff::default(),
            backoff_override: BackoffOverride::default(),
        }
    }
}
