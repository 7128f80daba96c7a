//! `tasker task history`: every recorded change of a task and its steps.

use std::collections::HashMap;

use serde_json::Value;
use tasker_core::{StepId, WorkerId};
use tasker_engine::TaskView;
use tasker_store::Transition;

use crate::desk::Desk;
use crate::ending::{Ending, Outcome};
use crate::ids;
use crate::table::Table;
use crate::words::{moment, one_line, time_of_day};

/// Show every recorded change of state of a task and its steps.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The task: its id, a part of it, or `last` for the newest.
    #[arg(value_name = "ID")]
    id: String,
    /// Print JSON, one transition a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let view = ids::view(&engine, ids::task(&engine, &args.id).await?).await?;
    let history = engine.history(view.task.id).await?;
    if args.json {
        for transition in &history {
            desk.terminal.print(serde_json::json!(transition));
        }
        return Ok(Ending::Well);
    }
    let workers = engine.store().workers(tasker_core::Timestamp::from_micros(0)).await?;
    let names = workers.into_iter().map(|worker| (worker.id.to_string(), worker.name)).collect();
    let table = table(&view, &history, &names);
    let (paint, columns) = (desk.terminal.paint(), desk.terminal.width());
    desk.terminal.print_all(table.lines(paint, columns));
    Ok(Ending::Well)
}

fn table(view: &TaskView, history: &[Transition], names: &HashMap<String, String>) -> Table {
    let mut table = Table::new(["TIME (UTC)", "STEP", "STATE", "ATTEMPT", "CAUSE", "BY", "WHAT"]);
    let mut day = String::new();
    for transition in history {
        let date = moment(transition.at)[..10].to_owned();
        let is_same_day = std::mem::replace(&mut day, date.clone()) == date;
        let time = time_of_day(transition.at);
        let by = transition.by.as_deref().unwrap_or_default();
        table.row([
            if is_same_day { format!("           {time}") } else { format!("{date} {time}") },
            transition.step.map(|step| name(view, step)).unwrap_or_default(),
            transition.to.to_string(),
            transition.attempt.map(|attempt| attempt.to_string()).unwrap_or_default(),
            transition.cause.to_string(),
            names.get(by).cloned().unwrap_or_else(|| shown(by)),
            what(&transition.details),
        ]);
    }
    table
}

/// A worker that is gone is shown by the digits of chance in its id.
fn shown(by: &str) -> String {
    by.parse::<WorkerId>()
        .map_or_else(|_| one_line(by), |worker| format!("worker {}", ids::chance(worker.as_uuid())))
}

fn name(view: &TaskView, step: StepId) -> String {
    view.template
        .steps
        .get(step.ordinal() as usize)
        .map_or_else(|| step.to_string(), |step| step.name.to_string())
}

/// The failure of an attempt, or the reason of a command.
fn what(details: &Value) -> String {
    let text = ["message", "reason"].iter().find_map(|key| details.get(key)?.as_str());
    text.map(one_line).unwrap_or_default()
}
