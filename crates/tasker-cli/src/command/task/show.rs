//! `tasker task show`: a task with its steps.

use crate::desk::Desk;
use crate::ending::{Ending, Outcome};
use crate::tree::Tree;
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
        desk.terminal.print(format!("{:#}", view.to_json()));
        return Ok(Ending::Well);
    }
    let (paint, columns) = (desk.terminal.paint(), desk.terminal.width());
    let advice = advice::lines(&view, desk);
    let lines = Tree::new(&view, paint, columns).lines();
    lines.into_iter().chain(advice).for_each(|line| desk.terminal.print(line));
    Ok(Ending::Well)
}
