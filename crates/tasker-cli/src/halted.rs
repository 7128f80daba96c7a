//! Tasks whose run was broken off: paused, so that nobody goes on with them in another folder or with other bindings.

use tasker_core::TaskId;
use tasker_engine::{Engine, EngineError, TaskView};
use tasker_store::Command;

use crate::ending::Trouble;

/// Why such a task is paused; by this reason `tasker resume` knows that it may end the pause.
const REASON: &str = "its run was broken off; `tasker resume` goes on";

/// Pauses a task whose run is broken off, unless it has ended or is paused already.
pub(crate) async fn halt(engine: &Engine, task: TaskId, by: &str) -> Result<(), Trouble> {
    let pause = Command::Pause { task, by: by.to_owned(), reason: Some(REASON.to_owned()) };
    match engine.command(pause).await {
        Ok(_) | Err(EngineError::Command(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Ends the pause of a task that was paused because its run was broken off. A pause by someone else stays.
pub(crate) async fn go_on(engine: &Engine, view: &TaskView, by: &str) -> Result<(), Trouble> {
    if !is_halted(view) {
        return Ok(());
    }
    match engine.command(Command::Resume { task: view.task.id, by: by.to_owned() }).await {
        Ok(_) | Err(EngineError::Command(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a task is paused because its run was broken off.
fn is_halted(view: &TaskView) -> bool {
    let reason = view.task.paused.as_ref().and_then(|pause| pause.reason.as_deref());
    reason == Some(REASON)
}
