//! `tasker resume`: goes on with a task that was interrupted, or whose process was killed.

use std::path::PathBuf;

use tasker_core::{State, TaskId};
use tasker_engine::{Engine, TaskView};
use tasker_runtime::Settings;
use tasker_store::{Page, TaskFilter, TaskSort};

use super::run::Work;
use crate::desk::Desk;
use crate::drive::{self, Journey};
use crate::embedded::Setup;
use crate::ending::{Ending, Outcome, Trouble, usage};
use crate::progress::Manner;
use crate::remembered::{Memory, Remembered};
use crate::words::{ago, duration};
use crate::{advice, halted, ids, verdict};

/// Go on with a task that was interrupted, or whose process was killed.
///
/// Steps that are complete do not run again. A step that was at work when its process was killed is tried again once the
/// lease of that process has run out, a few seconds after its death.
///
/// The folder and the bindings of the run are remembered in run/TASK.json beside the database file (.tasker/run/TASK.json
/// if the database is no file); --base-dir and --bindings overrule them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The task: its id, a part of it, or `last`; without it the only one that is unfinished.
    #[arg(value_name = "TASK")]
    task: Option<String>,
    #[command(flatten)]
    work: Work,
    /// Print every transition as a line of JSON, and last the whole task.
    #[arg(long)]
    json: bool,
}

/// So many unfinished tasks are listed.
const LISTED: u32 = 20;

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let settings = desk.settings(&[])?.settings;
    desk.trace(&settings)?;
    let engine = desk.existing(&settings).await?;
    let task = match &args.task {
        Some(word) => ids::task(&engine, word).await?,
        None => unfinished(desk, &engine).await?,
    };
    let cursor = engine.relay().end().await?;
    let view = ids::view(&engine, task).await?;
    match view.task.state {
        State::Pending | State::InProgress => {}
        State::Error => return Ok(blocked(desk, &view)),
        ended @ (State::Complete | State::Cancelled | State::ResolvedManually) => {
            let words = crate::tree::words(ended);
            desk.terminal
                .print(format!("task {} is {words}: there is nothing to go on with", ids::short(task)));
            return Ok(if ended == State::Cancelled { Ending::Badly } else { Ending::Well });
        }
    }
    let memory = Memory::of(&settings.database.url, &desk.folder);
    let remembered = remembered(args, desk, &settings, memory.recall(task)?);
    let setup = Setup::of(desk, &settings, &args.work, &remembered)?.for_template(&view.template);
    let manner = if args.json { Manner::Json } else { Manner::People };
    let journey = Journey {
        task,
        cursor,
        user: desk.user.clone(),
        manner,
        time_limit: args.work.time_limit(),
        notes: notes(&view),
        tells_logs: args.work.logs,
    };
    memory.keep(task, &remembered)?;
    halted::go_on(&engine, &view, &desk.user).await?;
    let stop = drive::to_its_end(desk, &engine, &journey, setup).await?;
    verdict::pronounce(desk, &engine, (task, stop), manner, &memory).await
}

/// The only unfinished task.
async fn unfinished(desk: &Desk, engine: &Engine) -> Result<TaskId, Trouble> {
    let filter = TaskFilter { states: vec![State::Pending, State::InProgress], ..TaskFilter::default() };
    let page = Page { limit: LISTED, offset: 0, sort: TaskSort::NewestFirst };
    let tasks = engine.store().tasks(&filter, page).await?;
    match tasks.as_slice() {
        [] => {
            usage(format!("no task is unfinished; {} shows those there are", desk.command_line("task list")))
        }
        [only] => Ok(only.id),
        several => {
            let now = engine.store().deadlines().await?.now;
            let line = |task: &tasker_store::TaskRecord| {
                let resume = desk.command_line(&format!("resume {}", ids::short(task.id)));
                format!(
                    "\n  {resume}   ({}, {})",
                    crate::tree::words(task.state),
                    ago(task.requested_at, now)
                )
            };
            usage(format!(
                "several tasks are unfinished, name one:{}",
                several.iter().map(line).collect::<String>()
            ))
        }
    }
}

/// A task in error does not go on by itself: someone has to say what becomes of the steps that failed.
fn blocked(desk: &mut Desk, view: &TaskView) -> Ending {
    desk.terminal.print(format!("task {} is blocked by steps that failed:", ids::short(view.task.id)));
    let advice = advice::lines(view, desk);
    desk.terminal.print_all(advice);
    Ending::Badly
}

/// What is remembered of the run, with what the command line says over it.
fn remembered(args: &Args, desk: &Desk, settings: &Settings, recalled: Option<Remembered>) -> Remembered {
    let here = |path: &PathBuf| desk.folder.join(path);
    let worker = &settings.worker;
    let mut remembered = recalled.unwrap_or_else(|| Remembered {
        template: desk.folder.clone(),
        base_dir: worker.base_dir.as_ref().map_or_else(|| desk.folder.clone(), here),
        bindings: worker.bindings.as_ref().map(here),
    });
    remembered.base_dir = args.work.base_dir.as_ref().map_or(remembered.base_dir, here);
    remembered.bindings = args.work.bindings.as_ref().map(here).or(remembered.bindings);
    remembered
}

/// The steps that another process holds, dead or alive.
fn notes(view: &TaskView) -> Vec<String> {
    let held = view.steps.iter().filter_map(|step| Some((step, step.lease?.1)));
    let note = |(step, until): (&tasker_store::StepRecord, tasker_core::Timestamp)| {
        let name = &view.step_template(step).name;
        format!(
            "{name} is held by another process; if that was killed, its lease runs out in {}",
            duration(until.since(view.now))
        )
    };
    held.map(note).collect()
}
