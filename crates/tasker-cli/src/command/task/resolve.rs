//! `tasker task resolve`: declares a step done, or a task in error.

use serde_json::Value;
use tasker_store::{Command as Order, Target};

use super::{Named, carry_out};
use crate::context;
use crate::desk::Desk;
use crate::ending::{Outcome, Trouble, usage};
use crate::numbers::altered_in_json;

/// Declare a step done, as if it had completed; or a task in error, whose open steps are cancelled.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    named: Named,
    /// What the step would have produced.
    #[arg(long, value_name = "JSON")]
    results: Option<String>,
    /// Why, for the record.
    #[arg(long)]
    reason: Option<String>,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let results = args.results.as_deref().map(parsed).transpose()?;
    let engine = desk.open().await?;
    let target = args.named.find(&engine).await?;
    if matches!(target, Target::Task(_)) && results.is_some() {
        return usage("a task has no results of its own: name the step with --step NAME");
    }
    let order = Order::Resolve { target, results, by: desk.user.clone(), reason: args.reason.clone() };
    let told = |steps: &str| match target {
        Target::Task(_) => format!("cancelled {steps} that had not ended"),
        Target::Step(_) => format!("resolved {steps} by hand"),
    };
    carry_out(desk, &engine, order, told).await
}

fn parsed(text: &str) -> Result<Value, Trouble> {
    context::exactly("--results", altered_in_json(text, "results"))?;
    serde_json::from_str(text)
        .or_else(|error| usage(format!("--results is not valid JSON: {error}\n  {text}")))
}
