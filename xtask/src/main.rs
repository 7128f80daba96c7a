//! `cargo xtask`: the one door to the chores of this repository.
//!
//! One file per command. Each prints what it does, and when it is red, what to do about it. Nothing here knows a
//! crate of the product other than by its name, so that a chore still runs when the product does not compile.

#![expect(
    clippy::doc_markdown,
    reason = "the docs of commands are their help, where backticks would be noise"
)]

mod bench;
mod ci;
mod deny;
mod faults;
mod generate;
mod layers;
mod release;
mod services;
mod shell;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::shell::CommandFailed;

/// The chores of this repository. `cargo xtask ci` is what the build machine runs.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    Ci(ci::Args),
    Test(test::Args),
    Services(services::Args),
    /// Checks that crates import strictly down the rungs, and that each heavy crate has one owner.
    ///
    /// Every manifest names its rung: `[package.metadata.tasker] layer = "…"`. The rungs are model, contract, logic,
    /// adapter, runtime, binary, top. Dev-dependencies are free.
    Layers,
    /// Checks the house rules that a text can be held to: sizes, names, headers, links, unfinished marks.
    ///
    /// Each finding is printed as `path:line: what is wrong; remedy`. Sizes that are over a limit for a written
    /// reason stand in xtask/tidy-ratchet.txt, whose numbers only shrink.
    Tidy,
    Gen(generate::Args),
    Deny(deny::Args),
    Bench(bench::Args),
    Faults(faults::Args),
    Release(release::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            error
                .downcast_ref::<CommandFailed>()
                .map_or(ExitCode::FAILURE, |failed| ExitCode::from(failed.code))
        }
    }
}

fn run(chore: Chore) -> Result<()> {
    match chore {
        Chore::Ci(args) => ci::run(&args),
        Chore::Test(args) => test::run(&args),
        Chore::Services(args) => services::run(&args),
        Chore::Layers => layers::run(),
        Chore::Tidy => tidy::run(),
        Chore::Gen(args) => generate::run(&args),
        Chore::Deny(args) => deny::run(&args),
        Chore::Bench(args) => bench::run(&args),
        Chore::Faults(args) => faults::run(&args),
        Chore::Release(args) => release::run(&args),
    }
}
