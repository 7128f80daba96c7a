//! What attempts logged, as it is read over HTTP.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tasker_api::{LogReader, LoggedAttempt, LoggedLine};
use tasker_core::TaskId;
use tasker_store::{AttemptLog, Store, StoreError};

/// Reads what attempts logged, once the store is open.
#[derive(Default)]
pub struct TaskLogs(Mutex<Option<Arc<dyn Store>>>);

impl std::fmt::Debug for TaskLogs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TaskLogs")
    }
}

impl TaskLogs {
    /// The store is open.
    pub fn opened(&self, store: Arc<dyn Store>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(store);
    }
}

#[async_trait]
impl LogReader for TaskLogs {
    async fn logs(&self, task: TaskId) -> Result<Option<Vec<LoggedAttempt>>, String> {
        let store = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let store = store.ok_or_else(|| "the database is not open yet".to_owned())?;
        // Only the message of the error itself: its sources may hold addresses and names.
        read(&*store, task).await.map_err(|error| error.to_string())
    }
}

async fn read(store: &dyn Store, task: TaskId) -> Result<Option<Vec<LoggedAttempt>>, StoreError> {
    let Some(record) = store.task(task).await? else { return Ok(None) };
    let Some(plan) = store.read_plan(record.plan).await? else { return Ok(None) };
    let told = |log: AttemptLog| {
        let step = plan.template.steps.get(log.key.step.ordinal() as usize)?;
        let lines = log.lines.into_iter().map(|line| LoggedLine { at: line.at, text: line.text });
        Some(LoggedAttempt { step: step.name.to_string(), attempt: log.key.attempt, lines: lines.collect() })
    };
    Ok(Some(store.logs(task, None).await?.into_iter().filter_map(told).collect()))
}
