//! Templates and plans.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tasker_core::{HandlerName, Namespace, QueueName, TaskName, TaskTemplate, TemplateKey, Version};
use tasker_store::{
    Inconsistency, PlanId, PutTemplate, StoreError, StoredPlan, StoredTemplate, TemplateConflict, TemplateId,
    TemplateStore, WhenTaken,
};

use crate::literal::List;
use crate::row::Reader;
use crate::statement::{
    TEMPLATE_CURRENT, TEMPLATE_FIND_PLAN, TEMPLATE_KEYS, TEMPLATE_MAKE_PLAN, TEMPLATE_PUT, TEMPLATE_READ,
    TEMPLATE_READ_PLAN,
};
use crate::store::PostgresStore;

/// So many plans are remembered; when they are more, all are forgotten.
const REMEMBERED: usize = 1_000;

/// Plans that have been read. They never change.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<HashMap<PlanId, Arc<StoredPlan>>>);

impl Plans {
    fn get(&self, id: PlanId) -> Option<Arc<StoredPlan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn remember(&self, plan: &Arc<StoredPlan>) {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= REMEMBERED {
            plans.clear();
        }
        plans.insert(plan.id, Arc::clone(plan));
    }
}

#[async_trait]
impl TemplateStore for PostgresStore {
    async fn put_template(
        &self,
        put: PutTemplate,
    ) -> Result<Result<TemplateId, TemplateConflict>, StoreError> {
        let template = &put.template;
        let (parents, children): (Vec<u32>, Vec<u32>) = template.graph().edges().unzip();
        let dependencies = template.dependencies();
        let needed: Vec<bool> = template
            .graph()
            .edges()
            .map(|(parent, child)| dependencies.parents(child).binary_search(&parent).is_ok())
            .collect();
        let replace = put.when_taken == WhenTaken::Replace;
        let rows = self
            .database
            .read(
                "storing a template",
                TEMPLATE_PUT,
                &[
                    &self.now(),
                    &template.namespace.as_str(),
                    &template.name.as_str(),
                    &template.version.to_string(),
                    &template.digest_hex(),
                    &template.definition.to_string(),
                    &replace,
                    &List(&parents),
                    &List(&children),
                    &List(&needed),
                ],
            )
            .await?;
        let row = rows.first().expect("invariant: storing a template has an answer").of("templates");
        let id: Option<i64> = row.maybe("id")?;
        Ok(id.map(TemplateId).ok_or_else(|| TemplateConflict { key: template.key() }))
    }

    async fn plan(&self, template: TemplateId, priority: i32) -> Result<Option<PlanId>, StoreError> {
        let action = "looking for a plan";
        let found = self.database.read(action, TEMPLATE_FIND_PLAN, &[&template.0, &priority]).await?;
        if let Some(row) = found.first() {
            return Ok(Some(PlanId(row.of("plans").get("id")?)));
        }
        let stored = self.database.read(action, TEMPLATE_READ, &[&template.0]).await?;
        match stored.first() {
            Some(row) => {
                let recipe = recipe(row.of("templates"))?;
                self.make_plan(template, &recipe, priority).await.map(Some)
            }
            None => Ok(None),
        }
    }

    async fn read_plan(&self, plan: PlanId) -> Result<Option<Arc<StoredPlan>>, StoreError> {
        if let Some(known) = self.plans.get(plan) {
            return Ok(Some(known));
        }
        let rows = self.database.read("reading a plan", TEMPLATE_READ_PLAN, &[&plan.0]).await?;
        let Some(row) = rows.first().map(|row| row.of("plans")) else { return Ok(None) };
        let template = Arc::new(recipe(row)?);
        let stored = Arc::new(StoredPlan { id: plan, template, priority: row.get("priority")? });
        self.plans.remember(&stored);
        Ok(Some(stored))
    }

    async fn template(&self, key: &TemplateKey) -> Result<Option<StoredTemplate>, StoreError> {
        let (namespace, name) = (key.namespace.as_str(), key.name.as_str());
        let version = key.version.to_string();
        let rows = self
            .database
            .read("reading a template", TEMPLATE_CURRENT, &[&namespace, &name, &version])
            .await?;
        let Some(row) = rows.first().map(|row| row.of("templates")) else { return Ok(None) };
        Ok(Some(StoredTemplate {
            id: TemplateId(row.get("id")?),
            template: Arc::new(recipe(row)?),
            created_at: row.time("created_at")?,
        }))
    }

    async fn template_keys(&self) -> Result<Vec<TemplateKey>, StoreError> {
        let rows = self.database.read("listing templates", TEMPLATE_KEYS, &[]).await?;
        let key = |row: Reader<'_>| {
            Ok::<_, Inconsistency>(TemplateKey {
                namespace: row.get::<Namespace>("namespace")?,
                name: row.get::<TaskName>("name")?,
                version: row.get::<Version>("version")?,
            })
        };
        let mut keys = rows.iter().map(|row| key(row.of("templates"))).collect::<Result<Vec<_>, _>>()?;
        keys.sort();
        Ok(keys)
    }
}

impl PostgresStore {
    async fn make_plan(
        &self,
        id: TemplateId,
        template: &TaskTemplate,
        priority: i32,
    ) -> Result<PlanId, StoreError> {
        let steps = || template.steps.iter();
        let queues: Vec<_> = steps().map(|step| QueueName::as_str(&step.queue)).collect();
        let handlers: Vec<_> = steps().map(|step| HandlerName::as_str(&step.handler)).collect();
        let priorities: Vec<_> = steps().map(|step| step.priority.saturating_add(priority)).collect();
        let graph = template.graph();
        let parents: Vec<_> =
            steps().zip(0..).map(|(_, ordinal)| count(graph.parents(ordinal).len())).collect();
        let limits: Vec<_> = steps().map(|step| step.retry.max_attempts()).collect();
        let rows = self
            .database
            .read(
                "making a plan",
                TEMPLATE_MAKE_PLAN,
                &[
                    &id.0,
                    &priority,
                    &List(&queues),
                    &List(&handlers),
                    &List(&priorities),
                    &List(&parents),
                    &List(&limits),
                ],
            )
            .await?;
        let row = rows.first().expect("invariant: making a plan has an answer").of("plans");
        Ok(PlanId(row.get("id")?))
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The template whose definition a row has.
fn recipe(row: Reader<'_>) -> Result<TaskTemplate, Inconsistency> {
    let definition = row.json("definition")?;
    TaskTemplate::from_definition(&definition).map_err(|error| row.bad("definition", error.to_string()))
}
