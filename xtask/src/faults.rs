//! `cargo xtask faults`: the fault tests in their full measure.

use anyhow::Result;

use crate::services::{Durability, Kind, Services};
use crate::shell;

/// Runs the fault tests in their full measure: hundreds of killed processes, thousands of tasks.
///
/// `cargo xtask test` runs the same tests with a tenth of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names of tests.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    filters: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut services = Services::start(&[Kind::Postgres], Durability::Fsync)?;
    let mut tests = shell::cargo("test --package tasker-tests --test faults --");
    tests.args(["--test-threads=1", "--nocapture"]).args(&args.filters).env("TASKER_FAULTS", "full");
    services.run(&mut tests)
}
