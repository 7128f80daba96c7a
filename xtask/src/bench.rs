//! `cargo xtask bench`: the benchmarks, on a PostgreSQL that keeps what it commits.

use anyhow::Result;

use crate::services::{Durability, Kind, Services};
use crate::shell;

/// Runs the benchmarks in release mode with their own PostgreSQL, fsync on.
///
/// Figures count only beside others of the same run: the machine and its disk differ from day to day.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The benchmark and its arguments; without any, the program lists what there is.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "NAME [ARGS]")]
    words: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut services = Services::start(&[Kind::Postgres], Durability::Fsync)?;
    let mut bench = shell::cargo("bench --quiet --package tasker-tests --bench engine --");
    services.run(bench.args(&args.words))
}
