//! Giving a task the state that its counts, or a person, call for.

use tasker_core::{State, TaskEvent};
use tasker_store::Cause;

use super::{Order, Say, Task};
use crate::failure::Failure;
use crate::sql::{self, arguments};

/// What happens to a task, and why.
type Move = (TaskEvent, Cause);

impl Order<'_> {
    /// Gives a task, whose counts have changed, the state they call for.
    pub(super) async fn judge(&mut self, task: &mut Task, by: &str) -> Result<(), Failure> {
        let moves = moves(task);
        self.move_task(task, &moves, Say { by, reason: None }).await
    }

    /// Records how a task changes, and stores its state and counts.
    pub(super) async fn move_task(
        &mut self,
        task: &mut Task,
        moves: &[Move],
        say: Say<'_>,
    ) -> Result<(), Failure> {
        let now = self.now.as_micros();
        for (event, cause) in moves {
            let (from, cause) = (task.state, cause.as_str());
            task.state = from.task_after(*event).expect("invariant: the event was checked");
            let (from, to) = (from.as_str(), task.state.as_str());
            let transition = arguments![task.key, now, from, to, cause, say.by, say.details()];
            self.run(sql::RECORD_TRANSITION, transition).await?;
        }
        let started = moves.iter().any(|(event, _)| *event == TaskEvent::Start).then_some(now);
        let ended = (!moves.is_empty()).then_some(now);
        let state = task.state.as_str();
        let task = arguments![task.key, state, task.unfinished, task.active, started, ended];
        self.run(sql::CHANGE_TASK, task).await?;
        Ok(())
    }
}

/// How a task gets to the state that its counts call for.
fn moves(task: &Task) -> Vec<Move> {
    const RETRY: Move = (TaskEvent::Retry, Cause::RetryRequested);
    const START: Move = (TaskEvent::Start, Cause::Started);
    const COMPLETE: Move = (TaskEvent::Complete, Cause::Completed);
    const BLOCK: Move = (TaskEvent::Block, Cause::Blocked);
    match (task.state, task.unfinished, task.active) {
        (State::Pending, 0, _) => vec![START, COMPLETE],
        (State::InProgress, 0, _) => vec![COMPLETE],
        (State::Error, 0, _) => vec![RETRY, START, COMPLETE],
        (State::Pending | State::InProgress, _, 0) => vec![BLOCK],
        (State::Error, _, 1..) => vec![RETRY],
        (State::Pending | State::InProgress, _, 1..)
        | (State::Error, _, 0)
        | (State::Complete | State::Cancelled | State::ResolvedManually, _, _) => Vec::new(),
    }
}
