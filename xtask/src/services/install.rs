//! Installing servers with apt-get.

use std::process::Command;

use anyhow::{Context, Result};

use super::{say, user};
use crate::shell;

/// Whether we may and can: root on Debian or one of its children.
pub(super) fn is_possible() -> bool {
    let is_root = tempfile::tempdir().is_ok_and(|folder| user::is_root(folder.path()).unwrap_or(false));
    is_root && shell::succeeds(Command::new("apt-get").arg("--version"))
}

/// Installs the packages. Only their programs are wanted: their own daemons are not asked to start, and if one
/// starts anyway, nothing here talks to it.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    say(&format!("installing {} with apt-get", packages.join(", ")));
    refresh()?;
    let mut install = apt_get();
    install.args(["install", "--yes", "--no-install-recommends"]).args(packages);
    shell::output(&mut install).map(drop).context("cannot install the packages")
}

/// Renews the package lists.
pub(super) fn refresh() -> Result<()> {
    shell::output(apt_get().arg("update")).map(drop).context("cannot refresh the package lists")
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    // In runlevel 1, single user, `invoke-rc.d` does not start what was just installed.
    command.args(["--quiet"]).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    command
}
