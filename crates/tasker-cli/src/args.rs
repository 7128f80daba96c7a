//! The arguments of `tasker` itself, before and after the name of a command.

use std::path::PathBuf;

use clap::Parser;

use crate::command::Command;

/// Runs work that is made of steps, and survives what goes wrong on the way.
///
/// A template names the steps of a workflow, what each depends on, and how each may fail; a task is one run of it.
/// `tasker init` makes a folder with a template in it, `tasker run` runs it here and now, without a server.
#[derive(Debug, Parser)]
#[command(name = "tasker", version, max_term_width = 100, after_help = ENDING)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options of every command.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// Where tasks are kept: sqlite:PATH, postgres://… or memory: [.tasker/tasker.db here if no setting says else].
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Read settings from this file instead of tasker.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Any setting, such as worker.concurrency=8; also as the variable TASKER__WORKER__CONCURRENCY.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) set: Vec<(String, String)>,
    /// Say only what was asked for: no progress, no notes.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log what happens inside, to standard error; twice for more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Use no colours; the variable NO_COLOR does the same.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// How to begin, and what the exit codes mean.
pub(crate) const ENDING: &str = "\
To begin:
  tasker init demo && cd demo && tasker run

Exit codes:
  0    it is done; the task that was run is complete
  1    the task is in error, was cancelled or cannot go on; or the command failed
  2    what was asked cannot be: bad arguments, template or context, no such file or task
  124  the time of --timeout is up; `tasker resume` goes on
  130  interrupted; `tasker resume` goes on";

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as worker.concurrency=8")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
