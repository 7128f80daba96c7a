//! Making templates and tasks.

use std::sync::Arc;

use serde_json::json;
use tasker_core::{TaskId, TaskTemplate};

use super::Bench;
use crate::conformance::graph::graph;
use crate::submit::{NewTask, Origin, SubmitError, Submitted};
use crate::template::{PlanId, PutTemplate, TemplateConflict, TemplateId, WhenTaken};

impl Bench {
    /// Makes a task of a graph, see [`mod@crate::conformance::graph`].
    pub async fn submit(&self, text: &str) -> TaskId {
        self.submit_template(&graph(text)).await
    }

    /// Makes a task of a template.
    pub async fn submit_template(&self, template: &Arc<TaskTemplate>) -> TaskId {
        let plan = self.plan_of(template, 0).await;
        self.create(self.draft(plan)).await
    }

    /// Makes a task that no other equals.
    pub async fn create(&self, task: NewTask) -> TaskId {
        let id = task.id;
        assert_eq!(self.try_submit(vec![task]).await, Ok(vec![Submitted::Created(id)]));
        id
    }

    /// Submits tasks.
    pub async fn try_submit(&self, tasks: Vec<NewTask>) -> Result<Vec<Submitted>, SubmitError> {
        self.store.submit(tasks).await.expect("the store takes a submission")
    }

    /// A task to be made, of a graph.
    pub async fn draft_of(&self, text: &str) -> NewTask {
        self.draft(self.plan_of(&graph(text), 0).await)
    }

    /// A task to be made.
    pub fn draft(&self, plan: PlanId) -> NewTask {
        NewTask {
            id: self.task_id(),
            plan,
            context: json!({}),
            initiator: "pete@test".to_owned(),
            source_system: "test".to_owned(),
            reason: "basic test".to_owned(),
            tags: Vec::new(),
            bypass_steps: Vec::new(),
            requested_at: self.now(),
            origin: Origin::default(),
            identity: None,
        }
    }

    /// The plan of a template, which takes the place of any other under its key.
    pub async fn plan_of(&self, template: &Arc<TaskTemplate>, priority: i32) -> PlanId {
        let stored = self.put(template, WhenTaken::Replace).await.expect("replacing is never refused");
        self.plan(stored, priority).await.expect("the template exists")
    }

    /// The plan of a stored template.
    pub async fn plan(&self, template: TemplateId, priority: i32) -> Option<PlanId> {
        self.store.plan(template, priority).await.expect("the store makes a plan")
    }

    /// Stores a template.
    pub async fn put(
        &self,
        template: &Arc<TaskTemplate>,
        when_taken: WhenTaken,
    ) -> Result<TemplateId, TemplateConflict> {
        let put = PutTemplate { template: Arc::clone(template), when_taken };
        self.store.put_template(put).await.expect("the store takes a template")
    }
}
