//! `tasker task resume`: ends a pause.

use tasker_store::Command as Order;

use super::carry_out;
use crate::desk::Desk;
use crate::ending::Outcome;
use crate::ids;

/// End the pause of a task.
///
/// To go on with a task that was interrupted, use `tasker resume`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The task: its id, a part of it, or `last` for the newest.
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let task = ids::task(&engine, &args.id).await?;
    carry_out(desk, &engine, Order::Resume { task, by: desk.user.clone() }, |_| "no longer paused".to_owned())
        .await
}
