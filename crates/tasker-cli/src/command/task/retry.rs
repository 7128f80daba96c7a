//! `tasker task retry`: gives failed steps another attempt.

use tasker_store::{Attempts, Command as Order};

use super::{Named, carry_out};
use crate::desk::Desk;
use crate::ending::Outcome;
use crate::ids;

/// Give failed steps another attempt, now: all of a task, or one.
///
/// A worker makes it: one that runs already, or `tasker resume`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    named: Named,
    /// Count attempts anew: as many as the template gives. This is the default.
    #[arg(long, conflicts_with = "extend")]
    reset: bool,
    /// So many more attempts.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    extend: Option<u32>,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let target = args.named.find(&engine).await?;
    let attempts = args.extend.map_or(Attempts::Reset, Attempts::Extend);
    let order = Order::Retry { target, attempts, by: desk.user.clone() };
    let ending = carry_out(desk, &engine, order, |steps| format!("{steps} may be tried again")).await?;
    let resume = desk.command_line(&format!("resume {}", ids::short(target.task())));
    desk.terminal.note(format!("a worker will go on with it; without one: {resume}"));
    Ok(ending)
}
