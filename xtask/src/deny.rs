//! `cargo xtask deny`: deny.toml, also where cargo-deny is not installed.
//!
//! The check of our own reads the parts of deny.toml that do not change by themselves: `[licenses] allow`, `[bans]
//! deny` with `wrappers`, and crates.io as the only source. Advisories change every day and need cargo-deny.

mod policy;
mod resolved;
mod spdx;

use std::fs;

use anyhow::{Context, Result, bail, ensure};

use self::policy::Policy;
use self::resolved::Resolved;
use crate::shell;

/// Checks licences, banned crates and sources of all dependencies against deny.toml.
///
/// Runs `cargo deny` if it is installed, else a small check of its own. Advisories, which change every day, are looked
/// up in the network: only with --advisories.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Checks the advisories too: needs cargo-deny and the network.
    #[arg(long)]
    advisories: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    check()?;
    if args.advisories { advisories() } else { Ok(()) }
}

/// Whether cargo-deny is installed.
pub(crate) fn is_installed() -> bool {
    shell::succeeds(&mut shell::cargo("deny --version"))
}

/// Looks for advisories against the dependencies.
pub(crate) fn advisories() -> Result<()> {
    ensure!(is_installed(), "advisories need cargo-deny: `cargo install --locked cargo-deny`");
    shell::run(&mut shell::cargo("deny check advisories"))
}

/// Checks what needs no network.
pub(crate) fn check() -> Result<()> {
    if is_installed() {
        return shell::run(&mut shell::cargo("deny check --allow unused-wrapper bans licenses sources"));
    }
    let text = fs::read_to_string(shell::root().join("deny.toml")).context("cannot read deny.toml")?;
    let policy: Policy = toml::from_str(&text).context("cannot understand deny.toml")?;
    let resolved = Resolved::load()?;
    let findings = policy.check(&resolved);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("dependencies that break deny.toml: {}", findings.len());
    }
    println!(
        "deny: {} packages keep to the licences, bans and sources of deny.toml; `cargo xtask deny --advisories` \
         looks for advisories",
        resolved.packages().len()
    );
    Ok(())
}
