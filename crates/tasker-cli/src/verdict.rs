//! What is said of a task when its drive has ended, and the exit code that follows.

use std::time::Duration;

use tasker_core::{State, TaskId};
use tasker_engine::{Engine, TaskView};
use tokio::time::timeout;

use crate::desk::Desk;
use crate::drive::Stop;
use crate::ending::{Ending, Outcome, Trouble};
use crate::progress::Manner;
use crate::remembered::Memory;
use crate::tree::Tree;
use crate::words::count;
use crate::{advice, explanation, ids};

/// The store is given so long to tell how the task stands.
const PATIENCE: Duration = Duration::from_secs(30);

/// Says how a task stands, and why its drive ended if not with it.
pub(crate) async fn pronounce(
    desk: &mut Desk,
    engine: &Engine,
    (task, stop): (TaskId, Stop),
    manner: Manner,
    memory: &Memory,
) -> Outcome {
    let view = match viewed(engine, task).await {
        Ok(view) => view,
        Err(trouble) => return unseen(desk, &stop, trouble),
    };
    match manner {
        Manner::Json => desk.terminal.print(view.to_json()),
        Manner::People => show(desk, &view),
    }
    if view.task.state.is_ended() {
        memory.forget(task);
    }
    let resume = if memory.is_lasting() {
        format!("to go on: {}", desk.command_line(&format!("resume {}", ids::short(task))))
    } else {
        "the database was in memory and is gone".to_owned()
    };
    let unfinished = || {
        let verb = if view.task.unfinished == 1 { "is" } else { "are" };
        format!("{} of the task {verb} unfinished", count(view.task.unfinished as usize, "step"))
    };
    // While what was at work came to its end, the task may have as well.
    let stop = match view.task.state {
        State::Pending | State::InProgress => stop,
        ended => Stop::Ended(ended),
    };
    match stop {
        Stop::Ended(State::Complete | State::ResolvedManually) => Ok(Ending::Well),
        Stop::Ended(State::Pending | State::InProgress | State::Error | State::Cancelled) => {
            Ok(Ending::Badly)
        }
        Stop::Interrupted => {
            desk.terminal.complain(format!("interrupted: {}; {resume}", unfinished()));
            Ok(Ending::Interrupted)
        }
        Stop::TimedOut => {
            desk.terminal.complain(format!("the time is up: {}; {resume}", unfinished()));
            Ok(Ending::TimedOut)
        }
        Stop::Stuck(explanation) => {
            for line in explanation::lines(&explanation) {
                desk.terminal.complain(line);
            }
            let bindings = if memory.is_lasting() { " --bindings FILE" } else { "" };
            desk.terminal.complain(format!("{resume}{bindings}"));
            Ok(Ending::Badly)
        }
    }
}

/// The task as it stands, if the store says so in time.
async fn viewed(engine: &Engine, task: TaskId) -> Result<TaskView, Trouble> {
    let late = || Trouble::Failed(anyhow::anyhow!("the database does not answer"));
    timeout(PATIENCE, ids::view(engine, task)).await.unwrap_or_else(|_| Err(late()))
}

/// What is said of a drive whose task cannot be read: the trouble must not hide why it ended.
fn unseen(desk: &mut Desk, stop: &Stop, trouble: Trouble) -> Outcome {
    let (words, ending) = match stop {
        Stop::Interrupted => ("interrupted", Ending::Interrupted),
        Stop::TimedOut => ("the time is up", Ending::TimedOut),
        Stop::Ended(_) | Stop::Stuck(_) => return Err(trouble),
    };
    desk.terminal.complain(format!("{words}; how the task stands cannot be read: {}", trouble.message()));
    Ok(ending)
}

fn show(desk: &mut Desk, view: &TaskView) {
    let (paint, columns) = (desk.terminal.paint(), desk.terminal.width());
    let tree = Tree::new(view, paint, columns);
    if desk.terminal.is_quiet() {
        return desk.terminal.print(tree.verdict());
    }
    // A blank line parts the tree from what was told on the way.
    desk.terminal.note("");
    let advice = advice::lines(view, desk);
    tree.lines().into_iter().chain(advice).for_each(|line| desk.terminal.print(line));
}
