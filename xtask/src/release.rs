//! `cargo xtask release`: from a clean tree to archives that can be handed out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::Workspace;
use crate::{deny, shell};

/// Builds the release archive of this machine's target: the programs, the licence, the README.
///
/// Checks first that nothing is uncommitted, that the top section of CHANGELOG.md is that of the version in Cargo.toml,
/// and, if cargo-deny is installed, that there are no advisories against the dependencies. The archive and its SHA-256 are left in target/release-archive.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Builds and packs, and publishes nothing.
    #[arg(long)]
    dry_run: bool,
}

/// The programs that are handed out, as far as the workspace has them already.
const PROGRAMS: [&str; 4] = ["tasker", "tasker-server", "tasker-worker", "tasker-exporter"];

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(args.dry_run, "publishing is not set up; `cargo xtask release --dry-run` builds the archive");
    let workspace = Workspace::load()?;
    let version = &workspace.package("xtask").context("the workspace has no xtask")?.version;
    check_tree()?;
    let changelog =
        fs::read_to_string(shell::root().join("CHANGELOG.md")).context("cannot read CHANGELOG.md")?;
    check_changelog(&changelog, version)?;
    check_advisories()?;
    let programs = programs(&workspace)?;
    build(&programs)?;
    let archive = pack(&workspace.target_directory, version, &programs)?;
    println!("release: {}", archive.display());
    println!("sha256: {}", sha256(&archive)?);
    Ok(())
}

fn check_tree() -> Result<()> {
    let changes = shell::output(shell::program("git").args(["status", "--porcelain"]))?;
    ensure!(changes.is_empty(), "the tree is not clean; commit or stash first:\n{}", changes.trim_end());
    Ok(())
}

fn check_changelog(changelog: &str, version: &str) -> Result<()> {
    let top = changelog.lines().find_map(|line| line.strip_prefix("## ["));
    let top = top.and_then(|rest| rest.split(']').next());
    ensure!(
        top == Some(version),
        "the top section of CHANGELOG.md is [{}], the version in Cargo.toml {version}; make them the same",
        top.unwrap_or("none")
    );
    Ok(())
}

fn check_advisories() -> Result<()> {
    if deny::is_installed() {
        return deny::advisories();
    }
    println!("release: without cargo-deny no advisories are looked for; `cargo install --locked cargo-deny`");
    Ok(())
}

fn programs(workspace: &Workspace) -> Result<Vec<&'static str>> {
    let targets: Vec<_> = workspace.packages.iter().flat_map(|package| &package.targets).collect();
    let exists =
        |name: &&str| targets.iter().any(|t| t.name == *name && t.kind.iter().any(|kind| kind == "bin"));
    let programs: Vec<_> = PROGRAMS.into_iter().filter(exists).collect();
    ensure!(!programs.is_empty(), "the workspace has none of the programs {}", PROGRAMS.join(", "));
    Ok(programs)
}

fn build(programs: &[&str]) -> Result<()> {
    let mut build = shell::cargo("build --release --locked");
    for program in programs {
        build.args(["--bin", program]);
    }
    shell::run(&mut build)
}

/// `tasker-<version>-<target>.tar.gz` with one folder of that name inside.
fn pack(target_directory: &Path, version: &str, programs: &[&str]) -> Result<PathBuf> {
    let name = format!("tasker-{version}-{}", host()?);
    let archives = target_directory.join("release-archive");
    let folder = archives.join(&name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let built = target_directory.join("release");
    let files = programs.iter().map(|program| built.join(program));
    for from in files.chain(["LICENSE", "README.md"].map(|file| shell::root().join(file))) {
        let to = folder.join(from.file_name().expect("invariant: a path to a file"));
        fs::copy(&from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let archive = archives.join(format!("{name}.tar.gz"));
    shell::run(shell::program("tar").arg("-czf").arg(&archive).arg("-C").arg(&archives).arg(&name))?;
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(archive)
}

/// The target that the compiler builds for on this machine.
fn host() -> Result<String> {
    let text = shell::output(shell::program("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` names no host")
}

/// By the tool of GNU or the one of macOS.
fn sha256(file: &Path) -> Result<String> {
    for (tool, arguments) in [("sha256sum", &[][..]), ("shasum", &["-a", "256"][..])] {
        if let Ok(line) = shell::output(shell::program(tool).args(arguments).arg(file)) {
            return Ok(line.split_whitespace().next().unwrap_or_default().to_owned());
        }
    }
    bail!("cannot compute a SHA-256; install sha256sum (coreutils) or shasum");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_section_of_the_changelog_is_that_of_the_version() {
        let changelog = "# Changelog\n\n## [0.2.0] - 2026-01-01\n\n## [0.1.0] - 2025-01-01\n";
        assert!(check_changelog(changelog, "0.2.0").is_ok());
        let error = check_changelog(changelog, "0.3.0").expect_err("another version").to_string();
        assert!(error.contains("is [0.2.0], the version in Cargo.toml 0.3.0; make them the same"), "{error}");
        assert!(check_changelog("# Changelog\n", "0.2.0").is_err());
    }
}
