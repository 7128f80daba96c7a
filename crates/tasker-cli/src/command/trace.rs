//! `tasker trace`: where the time of a task went, from its record.

mod export;
mod show;

use clap::Subcommand;

use crate::desk::Desk;
use crate::ending::Outcome;

/// See where the time of a task went, and send its trace to a collector.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(show::Args),
    Export(export::Args),
}

impl Command {
    pub(crate) async fn run(&self, desk: &mut Desk) -> Outcome {
        match self {
            Self::Show(args) => show::run(args, desk).await,
            Self::Export(args) => export::run(args, desk).await,
        }
    }
}
