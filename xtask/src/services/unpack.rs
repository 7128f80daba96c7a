//! Programs out of Debian's packages without installing them: none of their daemons is set up, and nothing of the
//! machine outside of the target folder changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{install, say};
use crate::shell;
use crate::workspace::Workspace;

/// Whether the programs that it takes are there.
pub(super) fn is_possible() -> bool {
    ["apt-get", "dpkg"].iter().all(|program| shell::succeeds(Command::new(program).arg("--version")))
}

/// Where the files of a package stand once it is unpacked.
pub(super) fn folder(package: &str) -> Option<PathBuf> {
    Some(Workspace::load().ok()?.target_directory.join("tools").join(package))
}

/// Downloads a package and unpacks it into its folder. It is there whole or not at all.
pub(super) fn unpack(package: &str) -> Result<()> {
    say(&format!("unpacking {package} with apt-get and dpkg"));
    let wanted = folder(package).context("cannot find the target folder")?;
    let parent = wanted.parent().context("invariant: the folder stands in another")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    let scratch = tempfile::tempdir_in(parent).context("cannot make a temporary folder")?;
    download(package, scratch.path()).with_context(|| format!("cannot download {package}"))?;
    let files = scratch.path().join("files");
    for archive in archives(scratch.path())? {
        shell::output(Command::new("dpkg").arg("--extract").arg(archive).arg(&files))
            .with_context(|| format!("cannot unpack {package}"))?;
    }
    // Another process may have been quicker; what it put there is the same.
    if let Err(error) = fs::rename(&files, &wanted)
        && !wanted.exists()
    {
        return Err(error).with_context(|| format!("cannot put {package} to {}", wanted.display()));
    }
    Ok(())
}

/// The package lists may be missing or old, and only root may renew them.
fn download(package: &str, into: &Path) -> Result<()> {
    let once = || {
        let mut download = Command::new("apt-get");
        download.args(["--quiet", "download", package]).current_dir(into);
        shell::output(&mut download).map(drop)
    };
    once().or_else(|error| {
        if !install::is_possible() {
            return Err(error);
        }
        install::refresh()?;
        once()
    })
}

fn archives(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths = paths.collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "deb"));
    Ok(paths)
}
