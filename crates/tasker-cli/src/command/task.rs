//! `tasker task`: tasks, wherever they run.

mod cancel;
mod explain;
mod history;
mod list;
mod logs;
mod pause;
mod resolve;
mod resume;
mod retry;
mod show;
mod submit;

use clap::Subcommand;
use tasker_core::{StepId, TaskId};
use tasker_engine::Engine;
use tasker_store::{Command as Order, Target};

use crate::desk::Desk;
use crate::ending::{Ending, Outcome, Trouble, usage};
use crate::ids;
use crate::tree::words;
use crate::words::count;

/// Submit tasks, look at them, and help those that are stuck.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Submit(submit::Args),
    List(list::Args),
    Show(show::Args),
    Explain(explain::Args),
    History(history::Args),
    Logs(logs::Args),
    Cancel(cancel::Args),
    Retry(retry::Args),
    Resolve(resolve::Args),
    Pause(pause::Args),
    Resume(resume::Args),
}

impl Command {
    pub(crate) async fn run(&self, desk: &mut Desk) -> Outcome {
        match self {
            Self::Submit(args) => submit::run(args, desk).await,
            Self::List(args) => list::run(args, desk).await,
            Self::Show(args) => show::run(args, desk).await,
            Self::Explain(args) => explain::run(args, desk).await,
            Self::History(args) => history::run(args, desk).await,
            Self::Logs(args) => logs::run(args, desk).await,
            Self::Cancel(args) => cancel::run(args, desk).await,
            Self::Retry(args) => retry::run(args, desk).await,
            Self::Resolve(args) => resolve::run(args, desk).await,
            Self::Pause(args) => pause::run(args, desk).await,
            Self::Resume(args) => resume::run(args, desk).await,
        }
    }
}

/// A task, or one of its steps, as it is named on the command line.
#[derive(Debug, clap::Args)]
struct Named {
    /// The task, or a step: an id, a part of it, or `last` for the newest task.
    #[arg(value_name = "ID")]
    id: String,
    /// One step of the task, by its name.
    #[arg(long, value_name = "NAME")]
    step: Option<String>,
}

impl Named {
    /// What is named.
    async fn find(&self, engine: &Engine) -> Result<Target, Trouble> {
        match (ids::target(engine, &self.id).await?, &self.step) {
            (target, None) => Ok(target),
            (Target::Task(id), Some(name)) => step(engine, id, name).await.map(Target::Step),
            (Target::Step(_), Some(_)) => usage("the id is that of a step already: leave --step out"),
        }
    }
}

async fn step(engine: &Engine, task: TaskId, name: &str) -> Result<StepId, Trouble> {
    ids::step(&ids::view(engine, task).await?, name)
}

/// Carries out an order and tells what it changed; `told` is given how many steps, in words.
async fn carry_out(
    desk: &mut Desk,
    engine: &Engine,
    order: Order,
    told: impl FnOnce(&str) -> String,
) -> Outcome {
    let target = target_of(&order);
    let done = engine.command(order).await?;
    let id = target.map(|id| format!("task {}: ", ids::short(id))).unwrap_or_default();
    let told = told(&count(done.steps as usize, "step"));
    let state = done.task_state.map(|state| format!("; the task is {}", words(state))).unwrap_or_default();
    desk.terminal.print(format!("{id}{told}{state}"));
    Ok(Ending::Well)
}

fn target_of(order: &Order) -> Option<TaskId> {
    match order {
        Order::Cancel { target, .. } | Order::Retry { target, .. } | Order::Resolve { target, .. } => {
            Some(target.task())
        }
        Order::Pause { task, .. } | Order::Resume { task, .. } | Order::UpdateTask { task, .. } => {
            Some(*task)
        }
        Order::UpdateStep { step, .. } => Some(step.task()),
        Order::PauseNamespace { .. } | Order::ResumeNamespace { .. } => None,
    }
}
