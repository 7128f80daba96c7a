//! `tasker task explain`: why something is not running.

use super::Named;
use crate::desk::Desk;
use crate::ending::{Ending, Outcome};
use crate::explanation;

/// Say why a task, or one of its steps, is in the state it is in.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    named: Named,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, desk: &mut Desk) -> Outcome {
    let engine = desk.open().await?;
    let explanation = engine.explain(args.named.find(&engine).await?).await?;
    if args.json {
        desk.terminal.print(format!("{:#}", serde_json::json!(explanation)));
    } else {
        desk.terminal.print_all(explanation::lines(&explanation));
    }
    Ok(Ending::Well)
}
