//! Templates and plans.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use sqlx::sqlite::SqliteArguments;
use tasker_core::{TaskTemplate, TemplateKey, Timestamp};
use tasker_store::{
    PlanId, PutTemplate, StoreError, StoredPlan, StoredTemplate, TemplateConflict, TemplateId, TemplateStore,
    WhenTaken,
};

use crate::failure::Failure;
use crate::record::{Key, Record};
use crate::session::Session;
use crate::sql::{self, arguments};
use crate::store::SqliteStore;
use crate::writer::{Rows, Transaction};

#[async_trait]
impl TemplateStore for SqliteStore {
    async fn put_template(
        &self,
        put: PutTemplate,
    ) -> Result<Result<TemplateId, TemplateConflict>, StoreError> {
        let stored = self.writer.carry_out(&put).await?;
        if let Ok(id) = stored {
            self.templates.put(id, put.template);
        }
        Ok(stored)
    }

    async fn plan(&self, template: TemplateId, priority: i32) -> Result<Option<PlanId>, StoreError> {
        if let Some(id) = self.plan_ids.get((template, priority)) {
            return Ok(Some(id));
        }
        let Some(recipe) = self.template_by_id(template).await.map_err(reading)? else { return Ok(None) };
        let id = self.writer.carry_out(&MakePlan { template, priority, recipe }).await?;
        self.plan_ids.put((template, priority), id);
        Ok(Some(id))
    }

    async fn read_plan(&self, plan: PlanId) -> Result<Option<Arc<StoredPlan>>, StoreError> {
        self.plan_by_id(plan).await.map_err(reading)
    }

    async fn template(&self, key: &TemplateKey) -> Result<Option<StoredTemplate>, StoreError> {
        self.template_by_key(key).await.map_err(reading)
    }

    async fn template_keys(&self) -> Result<Vec<TemplateKey>, StoreError> {
        self.current_keys().await.map_err(reading)
    }
}

impl SqliteStore {
    pub(crate) async fn plan_by_id(&self, id: PlanId) -> Result<Option<Arc<StoredPlan>>, Failure> {
        if let Some(plan) = self.plans.get(id) {
            return Ok(Some(plan));
        }
        let rows = self.read(sql::READ_PLAN, arguments![id.0]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let row = Record::new(row, "plans").of(Key::Number(id.0));
        let priority: i32 = row.get("priority")?;
        let Some(template) = self.template_by_id(TemplateId(row.get("template_id")?)).await? else {
            return Err(row.odd("template_id", &"there is no such template").into());
        };
        let plan = Arc::new(StoredPlan { id, template, priority });
        self.plans.put(id, Arc::clone(&plan));
        Ok(Some(plan))
    }

    async fn template_by_id(&self, id: TemplateId) -> Result<Option<Arc<TaskTemplate>>, Failure> {
        if let Some(template) = self.templates.get(id) {
            return Ok(Some(template));
        }
        let rows = self.read(sql::READ_TEMPLATE, arguments![id.0]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let template = read_template(Record::new(row, "templates").of(Key::Number(id.0)))?;
        self.templates.put(id, Arc::clone(&template));
        Ok(Some(template))
    }

    async fn template_by_key(&self, key: &TemplateKey) -> Result<Option<StoredTemplate>, Failure> {
        let rows = self.read(sql::FIND_TEMPLATE, of_key(key)?).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let name = key.to_string();
        let row = Record::new(row, "templates").of(Key::Name(&name));
        let id = TemplateId(row.get("id")?);
        let created_at = row.time("created_at")?;
        let template = match self.templates.get(id) {
            Some(template) => template,
            None => read_template(row)?,
        };
        self.templates.put(id, Arc::clone(&template));
        Ok(Some(StoredTemplate { id, template, created_at }))
    }

    async fn current_keys(&self) -> Result<Vec<TemplateKey>, Failure> {
        let rows = self.read(sql::LIST_TEMPLATES, SqliteArguments::default()).await?;
        let keys = rows.iter().map(|row| {
            let row = Record::new(row, "templates");
            let (namespace, name) = (row.parsed("namespace")?, row.parsed("name")?);
            Ok::<_, Failure>(TemplateKey { namespace, name, version: row.parsed("version")? })
        });
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
        keys.sort();
        Ok(keys)
    }
}

impl Transaction for PutTemplate {
    type Answer = Result<TemplateId, TemplateConflict>;

    const ACTION: &'static str = "to store a template";

    async fn attempt(&self, session: &mut Session, now: Timestamp) -> Result<Self::Answer, Failure> {
        session.begin().await?;
        let stored = put(session, self, now).await?;
        session.commit().await?;
        Ok(stored)
    }
}

async fn put(
    session: &mut Session,
    put: &PutTemplate,
    now: Timestamp,
) -> Result<Result<TemplateId, TemplateConflict>, Failure> {
    let key = put.template.key();
    let digest = put.template.digest().to_vec();
    if let Some(row) = session.run(sql::FIND_TEMPLATE, of_key(&key)?).await?.first() {
        let row = Record::new(row, "templates");
        let id: i64 = row.get("id")?;
        if row.get::<&[u8]>("digest")? == digest {
            return Ok(Ok(TemplateId(id)));
        }
        match put.when_taken {
            WhenTaken::Refuse => return Ok(Err(TemplateConflict { key })),
            WhenTaken::Replace => session.run(sql::RETIRE_TEMPLATE, arguments![id]).await?,
        };
    }
    let (namespace, name) = (key.namespace.as_str(), key.name.as_str());
    let version = key.version.to_string();
    let same = arguments![namespace, name, version.clone(), digest.clone()];
    if let Some(row) = session.run(sql::FIND_TEMPLATE_CONTENT, same).await?.first() {
        let id: i64 = Record::new(row, "templates").get("id")?;
        session.run(sql::REVIVE_TEMPLATE, arguments![id]).await?;
        return Ok(Ok(TemplateId(id)));
    }
    session.run(sql::ADD_NAMESPACE, arguments![namespace]).await?;
    let definition = put.template.definition.to_string();
    let edges = edges_of(&put.template);
    let template = arguments![namespace, name, version, digest, definition, now.as_micros(), edges];
    let id = only_id(session, sql::INSERT_TEMPLATE, template).await?;
    Ok(Ok(TemplateId(id)))
}

/// Makes a plan, unless it is there.
struct MakePlan {
    template: TemplateId,
    priority: i32,
    recipe: Arc<TaskTemplate>,
}

impl Transaction for MakePlan {
    type Answer = PlanId;

    const ACTION: &'static str = "to make a plan";

    async fn attempt(&self, session: &mut Session, _now: Timestamp) -> Result<PlanId, Failure> {
        session.begin().await?;
        let found = session.run(sql::FIND_PLAN, arguments![self.template.0, self.priority]).await?;
        let id = match found.first() {
            Some(row) => Record::new(row, "plans").get("id")?,
            None => only_id(session, sql::INSERT_PLAN, self.arguments()?).await?,
        };
        session.commit().await?;
        Ok(PlanId(id))
    }
}

impl MakePlan {
    fn arguments(&self) -> Result<SqliteArguments, Failure> {
        let graph = self.recipe.graph();
        let mut rows = Rows::default();
        for (step, ordinal) in self.recipe.steps.iter().zip(0u32..) {
            let priority = step.priority.saturating_add(self.priority);
            let parents = graph.parents(ordinal).len();
            rows.push(&(&step.queue, &step.handler, priority, parents, step.retry.max_attempts()));
        }
        let roots = i64::try_from(graph.roots().count()).unwrap_or(i64::MAX);
        let namespace = self.recipe.namespace.as_str();
        Ok(arguments![self.template.0, self.priority, namespace, rows.into_text(), roots])
    }
}

fn of_key(key: &TemplateKey) -> Result<SqliteArguments, sqlx::Error> {
    Ok(arguments![key.namespace.as_str(), key.name.as_str(), key.version.to_string()])
}

fn edges_of(template: &TaskTemplate) -> String {
    let dependencies = template.dependencies();
    let mut rows = Rows::default();
    for (parent, child) in template.graph().edges() {
        rows.push(&(parent, child, dependencies.parents(child).contains(&parent)));
    }
    rows.into_text()
}

async fn only_id(
    session: &mut Session,
    statement: &'static str,
    arguments: SqliteArguments,
) -> Result<i64, Failure> {
    let rows = session.run(statement, arguments).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    Ok(Record::new(row, "plans").get("id")?)
}

fn read_template(row: Record<'_>) -> Result<Arc<TaskTemplate>, Failure> {
    let definition: Value = row.json("definition")?;
    let template =
        TaskTemplate::from_definition(&definition).map_err(|error| row.odd("definition", &error))?;
    Ok(Arc::new(template))
}

fn reading(failure: Failure) -> StoreError {
    failure.into_error("to read a template")
}
