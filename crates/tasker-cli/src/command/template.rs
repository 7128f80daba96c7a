//! `tasker template`: templates as files, and as they are registered.

mod analyze;
mod graph;
mod list;
mod register;
mod show;
mod validate;

use clap::Subcommand;

use crate::desk::Desk;
use crate::ending::Outcome;

/// Check, draw and register templates.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Validate(validate::Args),
    Graph(graph::Args),
    Analyze(analyze::Args),
    Show(show::Args),
    List(list::Args),
    Register(register::Args),
}

impl Command {
    pub(crate) async fn run(&self, desk: &mut Desk) -> Outcome {
        match self {
            Self::Validate(args) => Ok(validate::run(args, desk)),
            Self::Graph(args) => graph::run(args, desk),
            Self::Analyze(args) => analyze::run(args, desk),
            Self::Show(args) => show::run(args, desk).await,
            Self::List(args) => list::run(args, desk).await,
            Self::Register(args) => register::run(args, desk).await,
        }
    }
}
