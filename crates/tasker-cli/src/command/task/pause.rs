//! `tasker task pause`: lets no further step of a task begin.

use tasker_store::Command as Order;

use super::carry_out;
use crate::desk::Desk;
use crate::ending::Outcome;
use crate::ids;

/// Let no further step of a task begin. What is at work goes on to its end.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The task: its id, a part of it, or `last` for the newest.
    #[arg(value_name = "ID")]
    id: String,
    /// Why, for the record.
    #[arg(long)]
    reason: Option<String>,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let task = ids::task(&engine, &args.id).await?;
    let order = Order::Pause { task, by: desk.user.clone(), reason: args.reason.clone() };
    carry_out(desk, &engine, order, |_| "paused".to_owned()).await
}
