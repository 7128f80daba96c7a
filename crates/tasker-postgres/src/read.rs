//! Answering questions.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::Value;
use tasker_core::{Namespace, State, StepId, TaskId, Timestamp, WorkerId};
use tasker_store::{
    Inconsistency, Inputs, Late, Origin, Page, Pause, PlanId, QueueDepth, ReadStore, StepRecord, StoreError,
    TaskBrief, TaskCount, TaskFilter, TaskHistory, TaskRecord, TaskSort, Transition,
};
use uuid::Uuid;

use crate::feed::transition;
use crate::literal::{List, Literal, Word};
use crate::row::Reader;
use crate::statement::{
    FEED_HISTORIES, FEED_HISTORY, FEED_STEP_HISTORY, LANE_LIST, NAMESPACE_READ, STEP_LIST, TASK_COUNT,
    TASK_LATE, TASK_LIST, TASK_LIST_NEWEST, TASK_READ, WORK_INPUTS,
};
use crate::store::PostgresStore;
use crate::write::ordinal;

#[async_trait]
impl ReadStore for PostgresStore {
    async fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
        let rows = self.database.read("reading a task", TASK_READ, &[&id.as_uuid()]).await?;
        Ok(rows.first().map(|row| task(row.of("tasks"))).transpose()?)
    }

    async fn steps(&self, task: TaskId) -> Result<Vec<StepRecord>, StoreError> {
        let rows = self.database.read("reading steps", STEP_LIST, &[&task.as_uuid()]).await?;
        Ok(rows.iter().map(|row| step(row.of("steps"))).collect::<Result<_, _>>()?)
    }

    async fn tasks(&self, filter: &TaskFilter, page: Page) -> Result<Vec<TaskRecord>, StoreError> {
        let statement = match page.sort {
            TaskSort::OldestFirst => TASK_LIST,
            TaskSort::NewestFirst => TASK_LIST_NEWEST,
        };
        let states: Vec<_> = filter.states.iter().map(|state| Word(state.as_str())).collect();
        let namespace = filter.namespace.as_ref().map(Namespace::as_str);
        let rows = self
            .database
            .read(
                "listing tasks",
                statement,
                &[&List(&states), &List(&filter.tags), &namespace, &filter.name, &page.limit, &page.offset],
            )
            .await?;
        Ok(rows.iter().map(|row| task(row.of("tasks"))).collect::<Result<_, _>>()?)
    }

    async fn inputs(&self, steps: &[StepId]) -> Result<Vec<Inputs>, StoreError> {
        let tasks: Vec<_> = steps.iter().map(|step| step.task().as_uuid()).collect();
        let ordinals: Vec<_> = steps.iter().map(|step| step.ordinal()).collect();
        let arguments: [&dyn Literal; 2] = [&List(&tasks), &List(&ordinals)];
        let rows = self.database.read("reading inputs", WORK_INPUTS, &arguments).await?;
        Ok(inputs(steps, rows.iter().map(|row| row.of("steps")))?)
    }

    async fn history(&self, task: TaskId) -> Result<Vec<Transition>, StoreError> {
        let rows = self.database.read("reading a history", FEED_HISTORY, &[&task.as_uuid()]).await?;
        Ok(rows.iter().map(|row| transition(row.of("transitions"))).collect::<Result<_, _>>()?)
    }

    async fn step_history(&self, step: StepId, limit: u32) -> Result<Vec<Transition>, StoreError> {
        let (task, ordinal) = (step.task().as_uuid(), ordinal(step.ordinal()));
        let action = "reading the history of a step";
        let rows = self.database.read(action, FEED_STEP_HISTORY, &[&task, &ordinal, &limit]).await?;
        let in_order = rows.iter().rev().map(|row| transition(row.of("transitions")));
        Ok(in_order.collect::<Result<_, _>>()?)
    }

    async fn histories(&self, tasks: &[TaskId]) -> Result<Vec<TaskHistory>, StoreError> {
        let ids: Vec<_> = tasks.iter().map(|task| task.as_uuid()).collect();
        let rows = self.database.read_by_index("reading histories", FEED_HISTORIES, &[&List(&ids)]).await?;
        let found = rows.iter().map(|row| history(row.of("tasks"))).collect::<Result<_, _>>()?;
        Ok(TaskHistory::in_order(tasks, found))
    }

    async fn namespace_pause(&self, namespace: &Namespace) -> Result<Option<Pause>, StoreError> {
        let name = namespace.as_str();
        let rows = self.database.read("reading a namespace", NAMESPACE_READ, &[&name]).await?;
        Ok(rows.first().map(|row| pause(row.of("namespaces"))).transpose()?.flatten())
    }

    async fn lanes(&self) -> Result<Vec<QueueDepth>, StoreError> {
        let asked: [&dyn Literal; 2] = [&self.now(), &QueueDepth::COUNTED];
        let rows = self.database.read_by_index("listing lanes", LANE_LIST, &asked).await?;
        Ok(rows.iter().map(|row| lane(row.of("lanes"))).collect::<Result<_, _>>()?)
    }

    async fn task_counts(&self) -> Result<Vec<TaskCount>, StoreError> {
        let counted =
            self.database.read_by_index("counting tasks", TASK_COUNT, &[&TaskCount::COUNTED]).await?;
        let mut tasks = HashMap::new();
        for row in counted.iter().map(|row| row.of("tasks")) {
            tasks.insert(row.get::<State>("state")?, row.get("tasks")?);
        }
        Ok(TaskCount::of_all(|state| tasks.get(&state).copied().unwrap_or_default()))
    }

    async fn late(&self, before: Timestamp) -> Result<Vec<(Namespace, u32)>, StoreError> {
        let first = Late::first_id(before).as_uuid();
        let asked: [&dyn Literal; 3] = [&first, &Late::LOOKED_AT, &Late::COUNTED];
        let rows = self.database.read_by_index("counting late tasks", TASK_LATE, &asked).await?;
        let late = rows.iter().map(|row| row.of("tasks"));
        let late = late.map(|row| Ok::<_, Inconsistency>((row.get("namespace")?, row.get("tasks")?)));
        Ok(late.collect::<Result<_, _>>()?)
    }
}

fn task(row: Reader<'_>) -> Result<TaskRecord, Inconsistency> {
    Ok(TaskRecord {
        id: row.task("id")?,
        plan: PlanId(row.get("plan_id")?),
        state: row.get("state")?,
        unfinished: row.get("unfinished")?,
        active: row.get("active")?,
        context: row.json("context")?,
        initiator: row.text("initiator")?.to_owned(),
        source_system: row.text("source_system")?.to_owned(),
        reason: row.text("reason")?.to_owned(),
        tags: row.list("tags")?,
        bypass_steps: row.list("bypass_steps")?,
        identity_hash: row.maybe_text("identity_hash")?.map(str::to_owned),
        origin: origin(row)?,
        requested_at: row.time("requested_at")?,
        started_at: row.maybe_time("started_at")?,
        ended_at: row.maybe_time("ended_at")?,
        paused: pause(row)?,
    })
}

/// The column of a task that holds its transitions.
const TRANSITIONS: &str = "transitions";

fn history(row: Reader<'_>) -> Result<TaskHistory, Inconsistency> {
    let task = TaskBrief {
        id: row.task("id")?,
        plan: PlanId(row.get("plan_id")?),
        state: row.get("state")?,
        initiator: row.text("initiator")?.to_owned(),
        source_system: row.text("source_system")?.to_owned(),
        tags: row.list("tags")?,
        origin: origin(row)?,
        requested_at: row.time("requested_at")?,
        ended_at: row.maybe_time("ended_at")?,
    };
    let packed = row.maybe_text(TRANSITIONS)?.unwrap_or_default();
    let transitions = Transition::unpack(task.id, packed).map_err(|reason| row.bad(TRANSITIONS, reason))?;
    Ok(TaskHistory { task, transitions })
}

fn step(row: Reader<'_>) -> Result<StepRecord, Inconsistency> {
    let worker: Option<Uuid> = row.maybe("worker_id")?;
    Ok(StepRecord {
        id: row.task("task_id")?.step(row.get("ordinal")?),
        state: row.get("state")?,
        parents: row.get("parents")?,
        unmet: row.get("unmet")?,
        attempts: row.get("attempts")?,
        retry_limit: row.get("retry_limit")?,
        ready_at: row.maybe_time("ready_at")?,
        held: row.flag("held")?,
        lease: worker.map(WorkerId::from).zip(row.maybe_time("lease_until")?),
        started_at: row.maybe_time("started_at")?,
        ended_at: row.maybe_time("ended_at")?,
        inputs: row.maybe_json("inputs")?,
        results: row.maybe_json("results")?,
        failure: row.maybe_json("failure")?,
    })
}

fn origin(row: Reader<'_>) -> Result<Origin, Inconsistency> {
    let text = |column| Ok::<_, Inconsistency>(row.maybe_text(column)?.map(str::to_owned));
    Ok(Origin { correlation_id: text("correlation_id")?, traceparent: text("traceparent")? })
}

fn pause(row: Reader<'_>) -> Result<Option<Pause>, Inconsistency> {
    let Some(at) = row.maybe_time("paused_at")? else { return Ok(None) };
    let by = row.text("paused_by")?.to_owned();
    Ok(Some(Pause { by, at, reason: row.maybe_text("paused_reason")?.map(str::to_owned) }))
}

fn lane(row: Reader<'_>) -> Result<QueueDepth, Inconsistency> {
    Ok(QueueDepth {
        namespace: row.get("namespace")?,
        queue: row.get("queue")?,
        handler: row.get("handler")?,
        priority: row.get("priority")?,
        oldest_ready_at: row.maybe_time("oldest_ready_at")?,
        ready: row.get("ready")?,
        running: row.get("running")?,
        oldest_running_at: row.maybe_time("oldest_running_at")?,
        paused: row.flag("paused")?,
    })
}

/// Puts the rows of contexts and of dependencies together, in the order asked.
fn inputs<'a>(
    steps: &[StepId],
    rows: impl Iterator<Item = Reader<'a>>,
) -> Result<Vec<Inputs>, Inconsistency> {
    let mut found: Vec<Option<Inputs>> = steps.iter().map(|_| None).collect();
    for row in rows {
        let place: usize = row.get("place")?;
        let slot = found.get_mut(place.wrapping_sub(1));
        let slot = slot.ok_or_else(|| row.bad("place", format!("{place} is out of range")))?;
        match (row.maybe::<u32>("dependency")?, slot) {
            (None, slot) => {
                let (step, context) = (steps[place - 1], row.json("content")?);
                *slot = Some(Inputs { step, context, origin: origin(row)?, dependencies: Vec::new() });
            }
            (Some(ordinal), Some(inputs)) => {
                let results: Option<Value> = row.maybe_json("content")?;
                inputs.dependencies.push((ordinal, results.unwrap_or(Value::Null)));
            }
            // Its task was removed between the two.
            (Some(_), None) => {}
        }
    }
    Ok(found.into_iter().flatten().collect())
}
