//! Answers to questions.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::Value;
use tasker_core::{Namespace, State, StepId, TaskId, Timestamp};
use tasker_store::{
    Inconsistency, Inputs, Late, Origin, Page, Pause, QueueDepth, ReadStore, StepRecord, StoreError,
    TaskBrief, TaskCount, TaskFilter, TaskHistory, TaskRecord, TaskSort, Transition,
};

use crate::failure::Failure;
use crate::feed::transition;
use crate::record::{Key, Record};
use crate::sql::{self, arguments};
use crate::store::SqliteStore;
use crate::writer::{Rows, task_hex};

#[async_trait]
impl ReadStore for SqliteStore {
    async fn task(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
        self.read_task(id).await.map_err(|failure| failure.into_error("to read a task"))
    }

    async fn steps(&self, task: TaskId) -> Result<Vec<StepRecord>, StoreError> {
        self.read_steps(task).await.map_err(|failure| failure.into_error("to read steps"))
    }

    async fn tasks(&self, filter: &TaskFilter, page: Page) -> Result<Vec<TaskRecord>, StoreError> {
        self.list_tasks(filter, page).await.map_err(|failure| failure.into_error("to list tasks"))
    }

    async fn inputs(&self, steps: &[StepId]) -> Result<Vec<Inputs>, StoreError> {
        self.read_inputs(steps).await.map_err(|failure| failure.into_error("to read inputs"))
    }

    async fn history(&self, task: TaskId) -> Result<Vec<Transition>, StoreError> {
        self.read_history(task).await.map_err(|failure| failure.into_error("to read a history"))
    }

    async fn step_history(&self, step: StepId, limit: u32) -> Result<Vec<Transition>, StoreError> {
        let history = self.read_step_history(step, limit).await;
        history.map_err(|failure| failure.into_error("to read the history of a step"))
    }

    async fn histories(&self, tasks: &[TaskId]) -> Result<Vec<TaskHistory>, StoreError> {
        self.read_histories(tasks).await.map_err(|failure| failure.into_error("to read histories"))
    }

    async fn namespace_pause(&self, namespace: &Namespace) -> Result<Option<Pause>, StoreError> {
        self.read_pause(namespace).await.map_err(|failure| failure.into_error("to read a namespace"))
    }

    async fn lanes(&self) -> Result<Vec<QueueDepth>, StoreError> {
        self.list_lanes().await.map_err(|failure| failure.into_error("to list lanes"))
    }

    async fn task_counts(&self) -> Result<Vec<TaskCount>, StoreError> {
        self.count_tasks().await.map_err(|failure| failure.into_error("to count tasks"))
    }

    async fn late(&self, before: Timestamp) -> Result<Vec<(Namespace, u32)>, StoreError> {
        self.count_late(before).await.map_err(|failure| failure.into_error("to count late tasks"))
    }
}

impl SqliteStore {
    async fn read_task(&self, id: TaskId) -> Result<Option<TaskRecord>, Failure> {
        let rows = self.read(sql::READ_TASK, arguments![bytes(id)]).await?;
        Ok(rows.first().map(|row| task(Record::new(row, "tasks"))).transpose()?)
    }

    async fn read_steps(&self, id: TaskId) -> Result<Vec<StepRecord>, Failure> {
        let rows = self.read(sql::READ_STEPS, arguments![bytes(id)]).await?;
        let steps = rows.iter().map(|row| step(id, Record::new(row, "steps")));
        Ok(steps.collect::<Result<_, _>>()?)
    }

    async fn list_tasks(&self, filter: &TaskFilter, page: Page) -> Result<Vec<TaskRecord>, Failure> {
        let namespace = filter.namespace.as_ref().map(Namespace::as_str);
        let states = (!filter.states.is_empty()).then(|| as_json(&filter.states));
        let tags = (!filter.tags.is_empty()).then(|| as_json(&filter.tags));
        let newest_first = page.sort == TaskSort::NewestFirst;
        let (name, range) = (filter.name.as_deref(), range(&filter.states));
        let asked = arguments![namespace, name, states, tags, page.limit, page.offset, newest_first, range];
        let rows = self.read(sql::LIST_TASKS, asked).await?;
        let tasks = rows.iter().map(|row| task(Record::new(row, "tasks")));
        Ok(tasks.collect::<Result<_, _>>()?)
    }

    async fn read_inputs(&self, steps: &[StepId]) -> Result<Vec<Inputs>, Failure> {
        let mut asked = Rows::default();
        for step in steps {
            asked.push(&(task_hex(step.task()), step.ordinal()));
        }
        let rows = self.read(sql::READ_INPUTS, arguments![asked.into_text()]).await?;
        let mut found: Vec<Inputs> = Vec::with_capacity(steps.len());
        let mut places: HashMap<u32, usize> = HashMap::with_capacity(steps.len());
        for row in &rows {
            let row = Record::new(row, "steps");
            let place = row.count("place")?;
            let Some(step) = steps.get(place as usize).copied() else { continue };
            let row = row.of(Key::Step(step));
            let document: Option<Value> = row.json_if_any("document")?;
            let document = document.unwrap_or(Value::Null);
            match (row.get::<Option<u32>>("parent")?, places.get(&place)) {
                (Some(parent), Some(at)) => {
                    if let Some(inputs) = found.get_mut(*at) {
                        inputs.dependencies.push((parent, document));
                    }
                }
                (_, _) => {
                    places.insert(place, found.len());
                    let origin = origin(row)?;
                    found.push(Inputs { step, context: document, origin, dependencies: Vec::new() });
                }
            }
        }
        Ok(found)
    }

    async fn read_history(&self, id: TaskId) -> Result<Vec<Transition>, Failure> {
        let rows = self.read(sql::READ_HISTORY, arguments![bytes(id)]).await?;
        let transitions = rows.iter().map(|row| transition(Record::new(row, "transitions")));
        Ok(transitions.collect::<Result<_, _>>()?)
    }

    async fn read_step_history(&self, step: StepId, limit: u32) -> Result<Vec<Transition>, Failure> {
        let task = bytes(step.task());
        let rows = self.read(sql::READ_STEP_HISTORY, arguments![task, step.ordinal(), limit]).await?;
        let latest_first = rows.iter().map(|row| transition(Record::new(row, "transitions")));
        Ok(latest_first.rev().collect::<Result<_, _>>()?)
    }

    async fn read_histories(&self, ids: &[TaskId]) -> Result<Vec<TaskHistory>, Failure> {
        let asked = as_json(&ids.iter().copied().map(task_hex).collect::<Vec<_>>());
        let rows = self.read(sql::READ_HISTORIES, arguments![asked]).await?;
        let found = rows.iter().map(|row| history(Record::new(row, "tasks"))).collect::<Result<_, _>>()?;
        Ok(TaskHistory::in_order(ids, found))
    }

    async fn read_pause(&self, namespace: &Namespace) -> Result<Option<Pause>, Failure> {
        let rows = self.read(sql::READ_NAMESPACE, arguments![namespace.as_str()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(pause(Record::new(row, "namespaces").of(Key::Name(namespace.as_str())))?)
    }

    async fn list_lanes(&self) -> Result<Vec<QueueDepth>, Failure> {
        let asked = arguments![self.now().as_micros(), QueueDepth::COUNTED];
        let rows = self.read(sql::LIST_LANES, asked).await?;
        let lanes = rows.iter().map(|row| lane(Record::new(row, "lanes")));
        Ok(lanes.collect::<Result<_, _>>()?)
    }

    async fn count_tasks(&self) -> Result<Vec<TaskCount>, Failure> {
        let rows = self.read(sql::COUNT_TASKS, arguments![TaskCount::COUNTED, TaskCount::LOOKED_AT]).await?;
        let mut tasks: HashMap<State, u32> = HashMap::new();
        for row in rows.iter().map(|row| Record::new(row, "tasks")) {
            tasks.insert(row.parsed("state")?, row.count("tasks")?);
        }
        Ok(TaskCount::of_all(|state| tasks.get(&state).copied().unwrap_or_default()))
    }

    async fn count_late(&self, before: Timestamp) -> Result<Vec<(Namespace, u32)>, Failure> {
        let asked = arguments![bytes(Late::first_id(before)), Late::LOOKED_AT, Late::COUNTED];
        let rows = self.read(sql::COUNT_LATE_TASKS, asked).await?;
        let late = rows.iter().map(|row| {
            let row = Record::new(row, "tasks");
            Ok::<_, Inconsistency>((row.parsed("namespace")?, row.count("tasks")?))
        });
        Ok(late.collect::<Result<_, _>>()?)
    }
}

/// Which index a list of tasks in these states is best read from; see `queries/tasks/list.sql`.
fn range(states: &[State]) -> &'static str {
    let is_open = |state: &State| matches!(state, State::Pending | State::InProgress);
    match states {
        [state @ (State::Error | State::Cancelled | State::ResolvedManually)] => state.as_str(),
        [_, ..] if states.iter().all(is_open) => "open",
        [] | [..] => "all",
    }
}

fn task(row: Record<'_>) -> Result<TaskRecord, Inconsistency> {
    let id = row.task_id("id")?;
    let row = row.of(Key::Task(id));
    Ok(TaskRecord {
        id,
        plan: tasker_store::PlanId(row.get("plan_id")?),
        state: row.parsed("state")?,
        unfinished: row.count("unfinished")?,
        active: row.count("active")?,
        context: row.json("context")?,
        initiator: row.get("initiator")?,
        source_system: row.get("source_system")?,
        reason: row.get("reason")?,
        tags: row.json("tags")?,
        bypass_steps: row.json("bypass_steps")?,
        identity_hash: row.get("identity_hash")?,
        origin: origin(row)?,
        requested_at: row.time("requested_at")?,
        started_at: row.time_if_any("started_at")?,
        ended_at: row.time_if_any("ended_at")?,
        paused: pause(row)?,
    })
}

/// The column of a task that holds its transitions.
const TRANSITIONS: &str = "transitions";

fn history(row: Record<'_>) -> Result<TaskHistory, Inconsistency> {
    let id = row.task_id("id")?;
    let row = row.of(Key::Task(id));
    let task = TaskBrief {
        id,
        plan: tasker_store::PlanId(row.get("plan_id")?),
        state: row.parsed("state")?,
        initiator: row.get("initiator")?,
        source_system: row.get("source_system")?,
        tags: row.json("tags")?,
        origin: origin(row)?,
        requested_at: row.time("requested_at")?,
        ended_at: row.time_if_any("ended_at")?,
    };
    let packed: Option<String> = row.get(TRANSITIONS)?;
    let transitions = Transition::unpack(id, &packed.unwrap_or_default());
    Ok(TaskHistory { task, transitions: transitions.map_err(|reason| row.odd(TRANSITIONS, &reason))? })
}

fn step(task: TaskId, row: Record<'_>) -> Result<StepRecord, Inconsistency> {
    let id = task.step(row.count("ordinal")?);
    let row = row.of(Key::Step(id));
    let lease = match (row.worker_id_if_any("worker_id")?, row.time_if_any("lease_until")?) {
        (Some(worker), Some(until)) => Some((worker, until)),
        (None, None) => None,
        (_, _) => return Err(row.odd("lease_until", &"a lease has a worker and an end, or neither")),
    };
    Ok(StepRecord {
        id,
        state: row.parsed("state")?,
        parents: row.count("parents")?,
        unmet: row.count("unmet")?,
        attempts: row.count("attempts")?,
        retry_limit: row.count("retry_limit")?,
        ready_at: row.time_if_any("ready_at")?,
        held: row.flag("held")?,
        lease,
        started_at: row.time_if_any("started_at")?,
        ended_at: row.time_if_any("ended_at")?,
        inputs: row.json_if_any("inputs")?,
        results: row.json_if_any("results")?,
        failure: row.json_if_any("failure")?,
    })
}

fn origin(row: Record<'_>) -> Result<Origin, Inconsistency> {
    Ok(Origin { correlation_id: row.get("correlation_id")?, traceparent: row.get("traceparent")? })
}

fn pause(row: Record<'_>) -> Result<Option<Pause>, Inconsistency> {
    let Some(at) = row.time_if_any("paused_at")? else { return Ok(None) };
    Ok(Some(Pause { by: row.get("paused_by")?, at, reason: row.get("paused_reason")? }))
}

fn lane(row: Record<'_>) -> Result<QueueDepth, Inconsistency> {
    Ok(QueueDepth {
        namespace: row.parsed("namespace")?,
        queue: row.parsed("queue")?,
        handler: row.parsed("handler")?,
        priority: row.get("priority")?,
        oldest_ready_at: row.time_if_any("oldest_ready_at")?,
        ready: row.count("ready")?,
        running: row.count("running")?,
        oldest_running_at: row.time_if_any("oldest_running_at")?,
        paused: row.flag("is_paused")?,
    })
}

fn bytes(id: TaskId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}

fn as_json<T: serde::Serialize>(texts: &[T]) -> String {
    serde_json::to_string(texts).expect("invariant: texts are JSON")
}
