//! Who runs the servers: PostgreSQL and Memcached refuse to run as root.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// An unprivileged user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// Whom a folder that we made must be given to before a server may live in it: when we are root, `postgres` or
    /// else `nobody`; otherwise nobody needs to take over.
    pub(super) fn for_folder(folder: &Path) -> Result<Option<Self>> {
        if !is_root(folder)? {
            return Ok(None);
        }
        let user = Self::named("postgres").or_else(|_| Self::named("nobody"))?;
        chown(folder, Some(user.uid), Some(user.gid))
            .with_context(|| format!("cannot give {} to user {}", folder.display(), user.uid))?;
        Ok(Some(user))
    }

    /// Lets the command run as this user.
    pub(super) fn takes_over(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    fn named(name: &str) -> Result<Self> {
        Ok(Self { uid: id("-u", name)?, gid: id("-g", name)? })
    }
}

/// Whether the owner of something that we made, which is us, is root.
pub(super) fn is_root(made_by_us: &Path) -> Result<bool> {
    let metadata =
        made_by_us.metadata().with_context(|| format!("cannot look at {}", made_by_us.display()))?;
    Ok(metadata.uid() == 0)
}

fn id(flag: &str, name: &str) -> Result<u32> {
    let text = shell::output(Command::new("id").args([flag, name]))?;
    text.trim().parse().with_context(|| format!("`id {flag} {name}` did not write a number"))
}
