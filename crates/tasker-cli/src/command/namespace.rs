//! `tasker namespace`: pauses for everything of a namespace.

use clap::Subcommand;
use tasker_core::Namespace;
use tasker_store::Command as Order;

use crate::desk::Desk;
use crate::ending::{Ending, Outcome};

/// Pause everything of a namespace, and end the pause.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Let no further step of a namespace begin. What is at work goes on to its end.
    Pause {
        /// The namespace.
        name: Namespace,
        /// Why, for the record.
        #[arg(long)]
        reason: Option<String>,
    },
    /// End the pause of a namespace.
    Resume {
        /// The namespace.
        name: Namespace,
    },
}

impl Command {
    pub(crate) async fn run(&self, desk: &mut Desk) -> Outcome {
        let engine = desk.open().await?;
        let by = desk.user.clone();
        let (order, told) = match self {
            Self::Pause { name, reason } => {
                let order = Order::PauseNamespace { namespace: name.clone(), by, reason: reason.clone() };
                (order, format!("namespace {name} is paused: no further step of it begins"))
            }
            Self::Resume { name } => {
                let order = Order::ResumeNamespace { namespace: name.clone(), by };
                (order, format!("namespace {name} is no longer paused"))
            }
        };
        engine.command(order).await?;
        desk.terminal.print(told);
        Ok(Ending::Well)
    }
}
