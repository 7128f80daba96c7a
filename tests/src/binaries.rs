//! The product's binaries, as built beside the test that wants them.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The package that a binary is built from.
fn package(binary: &str) -> &str {
    match binary {
        "tasker" => "tasker-cli",
        "shop-stub" => "example-orders",
        other => other,
    }
}

/// The folder that holds the binaries, which are built if one of them is missing.
///
/// # Errors
///
/// If cargo cannot build them.
pub fn folder(binaries: &[&str]) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(|deps| deps.parent()).context("a test lives in target/…/deps")?;
    let missing: Vec<_> = binaries.iter().filter(|binary| !folder.join(binary).exists()).collect();
    if !missing.is_empty() {
        let mut build = Command::new("cargo");
        build.arg("build").arg("--quiet");
        for binary in missing {
            build.args(["--package", package(binary), "--bin", binary]);
        }
        ensure!(build.status()?.success(), "cargo cannot build {binaries:?}");
    }
    Ok(folder.to_owned())
}
