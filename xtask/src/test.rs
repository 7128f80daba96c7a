//! `cargo xtask test`: all tests, with the servers that they need.

use anyhow::{Context, Result};

use crate::services::{Durability, Kind, Services};
use crate::shell;

/// Runs all tests with their own PostgreSQL, Redis and Memcached.
///
/// Runs the examples in the documentation and then all tests, with cargo-nextest if it is installed, else with
/// `cargo test`. With ARGS only the tests that they select are run. `cargo xtask services --help` says where the servers
/// come from. A server that is missing is an error, never a skipped test.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Starts no servers: for tests that need none, or whose servers are named in the environment.
    #[arg(long)]
    no_services: bool,
    /// Names of tests, and options of cargo-nextest or `cargo test`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    filters: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let kinds = if args.no_services { &[] } else { Kind::ALL.as_slice() };
    run_with(kinds, &args.filters)
}

/// All tests, as `cargo xtask ci` runs them.
pub(crate) fn run_all() -> Result<()> {
    run_with(&Kind::ALL, &[])
}

fn run_with(kinds: &[Kind], filters: &[String]) -> Result<()> {
    let mut services = Services::start(kinds, Durability::Fast)?;
    let has_nextest = shell::succeeds(&mut shell::cargo("nextest --version"));
    // nextest knows no examples in documentation. They come first: its summary shall be the last word.
    let examples = if has_nextest && filters.is_empty() {
        services.run(&mut shell::cargo("test --quiet --doc --workspace"))
    } else {
        Ok(())
    };
    let runner = if has_nextest { "nextest run" } else { "test" };
    let tests = services.run(shell::cargo(runner).args(scope(filters)).args(filters));
    tests.context("tests are red, repeat one with `cargo xtask test NAME`")?;
    examples.context("examples in the documentation are red, repeat them with `cargo test --doc`")
}

/// `--workspace`, unless the filters choose packages themselves.
fn scope(filters: &[String]) -> Option<&'static str> {
    let chooses = |word: &String| word.starts_with("-p") || word.starts_with("--package");
    (!filters.iter().any(chooses)).then_some("--workspace")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_choose_packages_are_not_widened_to_the_workspace() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(scope(&words("claim --no-capture")), Some("--workspace"));
        assert_eq!(scope(&words("-p tasker-core claim")), None);
        assert_eq!(scope(&words("--package=tasker-core")), None);
    }
}
