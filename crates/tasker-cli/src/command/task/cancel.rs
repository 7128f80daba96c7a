//! `tasker task cancel`: calls off a task or a step.

use tasker_store::Command as Order;

use super::{Named, carry_out};
use crate::desk::Desk;
use crate::ending::Outcome;

/// Call off a task with every step that has not ended, or one step.
///
/// A handler at work is told to stop.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    named: Named,
    /// Why, for the record.
    #[arg(long)]
    reason: Option<String>,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let target = args.named.find(&engine).await?;
    let order = Order::Cancel { target, by: desk.user.clone(), reason: args.reason.clone() };
    carry_out(desk, &engine, order, |steps| format!("cancelled {steps}")).await
}
