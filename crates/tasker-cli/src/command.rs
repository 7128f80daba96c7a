//! The commands, one file each.

mod completions;
mod dev;
mod init;
mod namespace;
mod reference;
mod resume;
mod run;
mod task;
mod template;
mod trace;

use clap::Subcommand;

use crate::desk::Desk;
use crate::ending::Outcome;

pub(crate) use run::Work;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Args),
    Run(Box<run::Args>),
    Resume(resume::Args),
    Dev(dev::Args),
    /// Check, draw and register templates.
    #[command(subcommand)]
    Template(template::Command),
    /// Submit tasks, look at them, and help those that are stuck.
    #[command(subcommand)]
    Task(task::Command),
    /// Pause everything of a namespace, and end the pause.
    #[command(subcommand)]
    Namespace(namespace::Command),
    /// See where the time of a task went, and send its trace to a collector.
    #[command(subcommand)]
    Trace(trace::Command),
    Completions(completions::Args),
    #[command(hide = true)]
    Reference(reference::Args),
}

impl Command {
    pub(crate) async fn run(&self, desk: &mut Desk) -> Outcome {
        match self {
            Self::Init(args) => init::run(args, desk),
            Self::Run(args) => run::run(args, desk).await,
            Self::Resume(args) => resume::run(args, desk).await,
            Self::Dev(args) => dev::run(args, desk).await,
            Self::Template(command) => command.run(desk).await,
            Self::Task(command) => command.run(desk).await,
            Self::Namespace(command) => command.run(desk).await,
            Self::Trace(command) => command.run(desk).await,
            Self::Completions(args) => Ok(completions::run(args, desk)),
            Self::Reference(args) => Ok(reference::run(args, desk)),
        }
    }
}
