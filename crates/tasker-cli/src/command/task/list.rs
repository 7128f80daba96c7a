//! `tasker task list`: the newest tasks.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;
use tasker_core::{Namespace, State, Timestamp};
use tasker_engine::Engine;
use tasker_store::{Page, PlanId, StoredPlan, TaskFilter, TaskRecord, TaskSort};

use crate::desk::Desk;
use crate::ending::{Ending, Outcome, Trouble};
use crate::ids;
use crate::paint::Paint;
use crate::table::Table;
use crate::words::{ago, duration};

/// List tasks, the newest first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only in this state; may be given several times, or as a,b.
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state())]
    state: Vec<State>,
    /// Only of this namespace.
    #[arg(long)]
    namespace: Option<Namespace>,
    /// Only of templates with this name.
    #[arg(long)]
    name: Option<String>,
    /// Only with this tag; may be given several times, or as a,b.
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    tag: Vec<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// Leave out the first so many.
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u32,
    /// Print JSON, one task a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let filter = TaskFilter {
        namespace: args.namespace.clone(),
        name: args.name.clone(),
        states: args.state.clone(),
        tags: args.tag.clone(),
    };
    let page = Page { limit: args.limit, offset: args.offset, sort: TaskSort::NewestFirst };
    let tasks = engine.store().tasks(&filter, page).await?;
    let plans = plans(&engine, &tasks).await?;
    if args.json {
        for task in &tasks {
            desk.terminal.print(to_json(task, plans.get(&task.plan)));
        }
        return Ok(Ending::Well);
    }
    if tasks.is_empty() {
        desk.terminal.note("there is no such task; `tasker run FILE` runs a template");
        return Ok(Ending::Well);
    }
    let now = engine.store().deadlines().await?.now;
    let (paint, columns) = (desk.terminal.paint(), desk.terminal.width());
    let table = table(&tasks, &plans, now, paint);
    desk.terminal.print_all(table.lines(paint, columns));
    if tasks.len() == args.limit as usize {
        desk.terminal.note(format!("there may be more: --offset {}", args.offset + args.limit));
    }
    Ok(Ending::Well)
}

type Plans = HashMap<PlanId, Arc<StoredPlan>>;

async fn plans(engine: &Engine, tasks: &[TaskRecord]) -> Result<Plans, Trouble> {
    let mut plans = Plans::new();
    for task in tasks {
        if let std::collections::hash_map::Entry::Vacant(entry) = plans.entry(task.plan)
            && let Some(plan) = engine.store().read_plan(task.plan).await?
        {
            entry.insert(plan);
        }
    }
    Ok(plans)
}

fn table(tasks: &[TaskRecord], plans: &Plans, now: Timestamp, paint: Paint) -> Table {
    let mut table = Table::new(["ID", "STATE", "STEPS", "REQUESTED", "TOOK", "TEMPLATE", "TAGS"]);
    for task in tasks {
        let plan = plans.get(&task.plan);
        let total = plan.map_or(0, |plan| plan.template.steps.len());
        let took = task.started_at.map(|start| duration(task.ended_at.unwrap_or(now).since(start)));
        let paused = if task.paused.is_some() { " (paused)" } else { "" };
        table.row([
            ids::short(task.id),
            format!("{}{paused}", paint.state(task.state, task.state)),
            format!("{}/{total}", total.saturating_sub(task.unfinished as usize)),
            ago(task.requested_at, now),
            took.unwrap_or_default(),
            plan.map(|plan| plan.template.key().to_string()).unwrap_or_default(),
            task.tags.join(","),
        ]);
    }
    table
}

fn to_json(task: &TaskRecord, plan: Option<&Arc<StoredPlan>>) -> serde_json::Value {
    json!({
        "task_id": task.id,
        "full_name": plan.map(|plan| plan.template.key().to_string()),
        "status": task.state,
        "unfinished_steps": task.unfinished,
        "total_steps": plan.map(|plan| plan.template.steps.len()),
        "requested_at": task.requested_at,
        "started_at": task.started_at,
        "ended_at": task.ended_at,
        "paused_by": task.paused.as_ref().map(|pause| &pause.by),
        "tags": task.tags,
    })
}

/// Reads a state, and tells the help which there are.
fn state() -> impl clap::builder::TypedValueParser<Value = State> {
    use clap::builder::TypedValueParser;
    clap::builder::PossibleValuesParser::new(State::ALL.map(State::as_str))
        .try_map(|word| word.parse::<State>())
}
