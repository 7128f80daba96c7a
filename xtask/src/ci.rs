//! `cargo xtask ci`: everything that must be green, the same on a laptop and on the build machine.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;

use crate::{deny, generate, layers, shell, test, tidy};

/// Runs every check in order and stops at the first that is red.
///
/// Says which command repeats only the part that failed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leaves these parts out.
    #[arg(long, value_name = "PART", value_parser = PossibleValuesParser::new(PARTS.map(|part| part.name)))]
    skip: Vec<String>,
}

/// One part: its name, what repeats it alone, and what it does.
struct Part {
    name: &'static str,
    again: &'static str,
    run: fn() -> Result<()>,
}

/// The quick ones first. The compilations are three: clippy's, that of the tests, and rustdoc's.
const PARTS: [Part; 8] = [
    Part { name: "fmt", again: "cargo fmt --all", run: fmt },
    Part { name: "layers", again: "cargo xtask layers", run: layers::run },
    Part { name: "tidy", again: "cargo xtask tidy", run: tidy::run },
    Part { name: "gen", again: "cargo xtask gen --check", run: generate::check },
    Part { name: "clippy", again: "cargo clippy --workspace --all-targets -- -D warnings", run: clippy },
    Part { name: "test", again: "cargo xtask test", run: test::run_all },
    Part { name: "doc", again: "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps", run: doc },
    Part { name: "deny", again: "cargo xtask deny", run: deny::check },
];

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut timings = Vec::new();
    for part in PARTS.iter().filter(|part| !args.skip.iter().any(|name| name == part.name)) {
        let started = Instant::now();
        let result = (part.run)();
        let took = started.elapsed();
        let verdict = if result.is_ok() { "ok" } else { "failed" };
        println!("ci: {} {verdict} in {}", part.name, seconds(took));
        result.with_context(|| format!("ci stopped at {}, repeat it with `{}`", part.name, part.again))?;
        timings.push((part.name, took));
    }
    println!("ci: all green");
    for (name, took) in timings {
        println!("  {name:<8} {:>9}", seconds(took));
    }
    Ok(())
}

fn fmt() -> Result<()> {
    shell::run(&mut shell::cargo("fmt --all -- --check"))
}

fn clippy() -> Result<()> {
    shell::run(&mut shell::cargo("clippy --workspace --all-targets -- -D warnings"))
}

fn doc() -> Result<()> {
    shell::run(shell::cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
