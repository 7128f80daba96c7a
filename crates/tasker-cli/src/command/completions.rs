//! `tasker completions`: what a shell needs to complete the words of a command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::desk::Desk;
use crate::ending::Ending;

/// Print the completions for a shell.
///
/// For bash: tasker completions bash > ~/.local/share/bash-completion/completions/tasker
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, desk: &mut Desk) -> Ending {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tasker", &mut script);
    desk.terminal.print(String::from_utf8_lossy(&script).trim_end());
    Ending::Well
}
