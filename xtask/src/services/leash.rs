//! A server that cannot outlive us.
//!
//! A small shell script starts the server and reads from a pipe whose other end we hold. When we let go, or die in
//! whatever way, the pipe ends; the script then stops the server and removes its folder. This needs no unsafe code,
//! works on every Unix, and ending well and being killed take the same path.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::user::User;

/// How a server is launched.
#[derive(Debug)]
pub(super) struct Launch {
    /// A line of shell that runs first and sees the program as `$1`.
    pub(super) preparation: &'static str,
    pub(super) command: Vec<OsString>,
    /// What ends the server.
    pub(super) signal: &'static str,
    /// Who runs it, if not we.
    pub(super) user: Option<User>,
}

/// The end of the pipe that we hold, and what hangs on it.
#[derive(Debug)]
pub(super) struct Leash {
    script: Child,
    pipe: Option<ChildStdin>,
    folder: TempDir,
}

impl Leash {
    /// Launches a server in the folder.
    pub(super) fn put(launch: &Launch, folder: TempDir) -> Result<Self> {
        let script = folder.path().join("leash.sh");
        fs::write(&script, include_str!("leash.sh")).context("cannot write into a temporary folder")?;
        let mut sh = Command::new("sh");
        sh.arg(script)
            .arg(folder.path())
            .args([launch.signal, launch.preparation])
            .args(&launch.command)
            // A group of its own: Ctrl-C in a terminal must reach the tests first.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(user) = launch.user {
            user.takes_over(&mut sh);
        }
        let mut script = sh.spawn().context("cannot start `sh`")?;
        let pipe = script.stdin.take();
        Ok(Self { script, pipe, folder })
    }

    /// Whether the server has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.file("ended").exists()
    }

    /// The last lines that the server wrote.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read(self.file("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    /// Asks the server to end and does not wait for it.
    pub(super) fn let_go(&mut self) {
        self.pipe = None;
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.let_go();
        // A script that cannot be waited for is gone already.
        drop(self.script.wait());
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn put(preparation: &'static str, script: &str) -> (Leash, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        let command = ["sh", "-c", script].map(OsString::from).into();
        let launch = Launch { preparation, command, signal: "TERM", user: None };
        (Leash::put(&launch, folder).expect("sh starts"), path)
    }

    fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
        for _ in 0..1_000 {
            if let Some(found) = look() {
                return found;
            }
            // sleep: another process is looked at, which sends no signal
            thread::sleep(Duration::from_millis(10));
        }
        panic!("waited ten seconds in vain");
    }

    fn lives(pid: &str) -> bool {
        crate::shell::succeeds(Command::new("kill").args(["-0", pid]))
    }

    #[test]
    fn letting_go_ends_the_server_and_removes_its_folder() {
        let (leash, folder) = put("", "echo $$ >pid.part; mv pid.part pid; exec sleep 1000");
        let pid = until(|| fs::read_to_string(folder.join("pid")).ok());
        assert!(lives(pid.trim()) && !leash.has_ended());
        drop(leash);
        assert!(!lives(pid.trim()) && !folder.exists());
    }

    #[test]
    fn letting_go_while_the_server_is_prepared_leaves_nothing() {
        let (leash, folder) = put("echo $$ >pid; exec sleep 0.2", "exec sleep 1000");
        until(|| folder.join("pid").exists().then_some(()));
        drop(leash);
        assert!(!folder.exists());
    }

    #[test]
    fn a_server_that_ends_by_itself_is_noticed_and_its_last_words_are_kept() {
        let (leash, folder) = put("", "echo farewell; exit 1");
        until(|| leash.has_ended().then_some(()));
        assert_eq!(leash.last_words(), "farewell");
        drop(leash);
        assert!(!folder.exists());
    }

    #[test]
    fn a_server_that_cannot_be_prepared_is_not_started() {
        let (leash, _folder) = put("echo no room; exit 1", "echo started");
        until(|| leash.has_ended().then_some(()));
        assert_eq!(leash.last_words(), "no room");
    }
}
