//! Submitting: from a wish to a task.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde_json::Value;
use tasker_core::{
    IdentityFacts, StepName, TaskId, TaskTemplate, TemplateKey, TemplateRequest, Uniqueness, VersionRequest,
};
use tasker_store::{Identity, NewTask, PlanId, StoredTemplate, Submitted};
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::{EngineError, SubmissionError};
use crate::request::TaskRequest;

const MAX_TEXT: usize = 128;
const PRIORITIES: RangeInclusive<i32> = -100..=100;
/// How deep a context may be nested. What is nested deeper than 128 levels cannot be read back.
const MAX_DEPTH: usize = 100;

/// What the tasks of equal requests are made of, looked up once for a submission.
struct Recipe {
    request: TemplateRequest,
    priority: i32,
    stored: StoredTemplate,
    plan: PlanId,
}

impl Recipe {
    fn answers(&self, request: &TaskRequest) -> bool {
        self.request == request.template && self.priority == request.priority
    }
}

impl Engine {
    /// Makes a task.
    ///
    /// # Errors
    ///
    /// [`EngineError`] names what is wrong with the request; nothing was made.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after it was polled may leave the task made: give the request an identity to
    /// make it again safely.
    pub async fn submit(&self, request: TaskRequest) -> Result<Submitted, EngineError> {
        let mut submitted = self.submit_all(vec![request]).await.map_err(EngineError::from)?;
        Ok(submitted.pop().expect("invariant: one answer for one request"))
    }

    /// Makes tasks: all of them, or none.
    ///
    /// # Errors
    ///
    /// [`SubmissionError`] names the first request that is wrong; nothing was made.
    ///
    /// # Cancel safety
    ///
    /// As [`Engine::submit`].
    pub async fn submit_all(&self, requests: Vec<TaskRequest>) -> Result<Vec<Submitted>, SubmissionError> {
        let mut tasks = Vec::with_capacity(requests.len());
        let mut recipes: Vec<Recipe> = Vec::new();
        for (index, request) in requests.into_iter().enumerate() {
            let task = self.prepare_with(&mut recipes, request).await;
            tasks.push(task.map_err(|error| SubmissionError::of(index, error))?);
        }
        self.store.submit(tasks).await?.map_err(SubmissionError::from)
    }

    /// The stored template that a request means.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownTemplate`] names the versions there are.
    pub async fn resolve(&self, request: &TemplateRequest) -> Result<StoredTemplate, EngineError> {
        if let Some(found) = self.exactly(request).await? {
            return Ok(found);
        }
        let unknown = |known| EngineError::UnknownTemplate { request: request.clone(), known };
        let keys = self.store.template_keys().await?;
        let same_name = keys.into_iter();
        let same_name: Vec<_> =
            same_name.filter(|key| key.namespace == request.namespace && key.name == request.name).collect();
        let version = match &request.version {
            VersionRequest::Exact(version) => Some(version),
            VersionRequest::Latest | VersionRequest::Range(_) => {
                request.version.resolve(same_name.iter().map(|key| &key.version))
            }
        };
        let key = same_name.iter().find(|key| Some(&key.version) == version);
        let Some(key) = key else {
            return Err(unknown(same_name));
        };
        self.store.template(key).await?.ok_or_else(|| unknown(Vec::new()))
    }

    /// The template of a request that names its version, without a look at the others.
    async fn exactly(&self, request: &TemplateRequest) -> Result<Option<StoredTemplate>, EngineError> {
        let VersionRequest::Exact(version) = &request.version else { return Ok(None) };
        let (namespace, name) = (request.namespace.clone(), request.name.clone());
        Ok(self.store.template(&TemplateKey { namespace, name, version: version.clone() }).await?)
    }

    /// What a request is to be made of.
    async fn recipe(&self, request: &TaskRequest) -> Result<Recipe, EngineError> {
        let stored = self.resolve(&request.template).await?;
        let plan = self.store.plan(stored.id, request.priority).await?;
        let plan =
            plan.ok_or_else(|| EngineError::NotFound(format!("template {}", stored.template.key())))?;
        Ok(Recipe { request: request.template.clone(), priority: request.priority, plan, stored })
    }

    /// Makes a request ready to be stored; what it is made of is looked up unless it is among `recipes`.
    async fn prepare_with(
        &self,
        recipes: &mut Vec<Recipe>,
        request: TaskRequest,
    ) -> Result<NewTask, EngineError> {
        let known = recipes.iter().position(|recipe| recipe.answers(&request));
        let index = match known {
            Some(index) => index,
            None => {
                recipes.push(self.recipe(&request).await?);
                recipes.len() - 1
            }
        };
        self.prepare(request, &recipes[index])
    }

    fn prepare(&self, request: TaskRequest, recipe: &Recipe) -> Result<NewTask, EngineError> {
        check_texts(&request)?;
        let Recipe { stored, plan, .. } = recipe;
        check_bypass_steps(&stored.template, &request)?;
        let context = fit_context(&stored.template, request.context)?;
        let requested_at = request.requested_at.unwrap_or_else(|| self.settings.clock.now());
        let facts = IdentityFacts {
            namespace: &stored.template.namespace,
            name: &stored.template.name,
            version: &stored.template.version,
            initiator: &request.initiator,
            source_system: &request.source_system,
            reason: &request.reason,
            context: &context,
            bypass_steps: &request.bypass_steps,
        };
        let now = self.settings.clock.now();
        let origin = self.origin(request.correlation_id, request.traceparent, now)?;
        let random = self.random();
        let strategy = request.identity.as_ref().unwrap_or(&self.settings.identity);
        let found = strategy.identity(&facts, Uuid::from_u128(random));
        let window = match found.uniqueness {
            Uniqueness::Random => None,
            Uniqueness::Within(window) => Some(Some(window)),
            Uniqueness::Forever => Some(None),
        };
        let on_duplicate = request.on_duplicate;
        let identity = window.map(|window| Identity { hash: found.hash, window, on_duplicate });
        Ok(NewTask {
            id: TaskId::new(now, random),
            plan: *plan,
            context,
            initiator: request.initiator,
            source_system: request.source_system,
            reason: request.reason,
            tags: request.tags,
            bypass_steps: request.bypass_steps.iter().map(ToString::to_string).collect(),
            requested_at,
            origin,
            identity,
        })
    }
}

fn fit_context(template: &Arc<TaskTemplate>, context: Value) -> Result<Value, EngineError> {
    if !context.is_object() {
        let remedy = "write a JSON object such as {\"order_id\": 7}";
        return Err(EngineError::Field { field: "context", value: shortened(&context.to_string()), remedy });
    }
    if depth(&context) > MAX_DEPTH {
        let remedy = "nest at most 100 levels";
        return Err(EngineError::Field { field: "context", value: shortened(&context.to_string()), remedy });
    }
    match template.context_schema() {
        None => Ok(context),
        Some(schema) => schema
            .apply(context)
            .map_err(|problems| EngineError::Context { template: template.key(), problems }),
    }
}

/// How deep a value is nested, counted no further than needed.
fn depth(value: &Value) -> usize {
    let mut level = vec![value];
    let mut depth = 0;
    while !level.is_empty() && depth <= MAX_DEPTH {
        depth += 1;
        level = level
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect::<Vec<_>>(),
                Value::Object(fields) => fields.values().collect(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
            })
            .collect();
    }
    depth
}

fn check_texts(request: &TaskRequest) -> Result<(), EngineError> {
    let single = [
        ("initiator", &request.initiator),
        ("source_system", &request.source_system),
        ("reason", &request.reason),
    ];
    let tags = request.tags.iter().map(|tag| ("tags", tag));
    for (field, text) in single.into_iter().chain(tags) {
        if text.chars().count() > MAX_TEXT || text.contains('\0') {
            let remedy = "write at most 128 characters, without U+0000";
            return Err(EngineError::Field { field, value: shortened(text), remedy });
        }
    }
    if !PRIORITIES.contains(&request.priority) {
        let remedy = "write a number from -100 to 100";
        return Err(EngineError::Field { field: "priority", value: request.priority.to_string(), remedy });
    }
    Ok(())
}

fn check_bypass_steps(template: &TaskTemplate, request: &TaskRequest) -> Result<(), EngineError> {
    let is_unknown = |name: &&StepName| template.steps.iter().all(|step| step.name != **name);
    match request.bypass_steps.iter().find(is_unknown) {
        Some(name) => {
            let remedy = "name steps of the template";
            Err(EngineError::Field { field: "bypass_steps", value: shortened(name.as_str()), remedy })
        }
        None => Ok(()),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
