//! `tasker trace show`: the trace of a task, without a collector.

use tasker_runtime::read_trace;

use crate::desk::Desk;
use crate::ending::{Ending, Outcome};
use crate::ids;
use crate::spans::Drawing;

/// Show where the time of a task went: its runs, steps, waits and attempts.
///
/// It is read from the record of the task, and needs neither a collector nor settings. What handlers asked of others
/// while they ran is only at a collector.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The task: its id, a part of it, or `last` for the newest.
    #[arg(value_name = "ID")]
    id: String,
    /// Print JSON, one span a line, with all attributes, events and links.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let task = ids::task(&engine, &args.id).await?;
    // The view says what is wrong with an id that no task has.
    let task = ids::view(&engine, task).await?.task.id;
    let spans = read_trace(&**engine.store(), task).await?;
    if args.json {
        desk.terminal.print_all(spans.iter().map(|span| span.to_json().to_string()));
        return Ok(Ending::Well);
    }
    let (paint, columns) = (desk.terminal.paint(), desk.terminal.width());
    desk.terminal.print_all(Drawing::of(&spans, paint, columns).lines());
    Ok(Ending::Well)
}
