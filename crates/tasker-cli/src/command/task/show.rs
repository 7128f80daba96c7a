//! `tasker task show`: a task with its steps.

use serde_json::json;

use crate::desk::Desk;
use crate::ending::{Ending, Outcome};
use crate::tree::Tree;
use crate::words::one_line;
use crate::{advice, ids};

/// Show a task with its steps: what they produced, what went wrong, and what can be done about it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The task: its id, a part of it, or `last` for the newest.
    #[arg(value_name = "ID")]
    id: String,
    /// Print JSON, with the whole results.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let view = ids::view(&engine, ids::task(&engine, &args.id).await?).await?;
    if args.json {
        let mut task = view.to_json();
        task["correlation_id"] = json!(view.task.origin.correlation_id);
        task["traceparent"] = json!(view.task.origin.traceparent);
        desk.terminal.print(format!("{task:#}"));
        return Ok(Ending::Well);
    }
    let (paint, columns) = (desk.terminal.paint(), desk.terminal.width());
    let advice = advice::lines(&view, desk);
    let lines = Tree::new(&view, paint, columns).lines();
    let origin = view.task.origin.correlation_id.as_deref();
    let origin = origin.map(|id| paint.dim(format!("correlation id  {}", one_line(id))));
    lines.into_iter().chain(origin).chain(advice).for_each(|line| desk.terminal.print(line));
    Ok(Ending::Well)
}
