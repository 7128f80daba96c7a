//! Running other programs from the root of the repository, and saying so.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// A program ended with another code than 0. `xtask` ends with the same code.
#[derive(Debug)]
pub(crate) struct CommandFailed {
    command: String,
    /// The exit code, or 128 plus the number of the signal that killed the program, as shells count.
    pub(crate) code: u8,
}

impl fmt::Display for CommandFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ended with code {}", self.command, self.code)
    }
}

impl std::error::Error for CommandFailed {}

impl CommandFailed {
    /// `Ok` if `status` is success, else the failure of `command`.
    pub(crate) fn check(command: &Command, status: ExitStatus) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
        Err(Self { command: line(command), code: u8::try_from(code).unwrap_or(1) }.into())
    }
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("invariant: xtask is a folder of the repository")
}

/// `program` with the root of the repository as its working folder.
pub(crate) fn program(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// `cargo ARGS…` at the root of the repository; `words` are split at blanks.
pub(crate) fn cargo(words: &str) -> Command {
    let mut command = program("cargo");
    command.args(words.split_whitespace());
    command
}

/// Prints the command, runs it and waits for it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status().with_context(|| format!("cannot start `{}`", line(command)))?;
    CommandFailed::check(command, status)
}

/// What the command writes to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", line(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` did not write UTF-8", line(command)))
}

/// Whether the command can be started and ends well. Its output is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Prints the command as one would type it.
pub(crate) fn announce(command: &Command) {
    eprintln!("$ {}", line(command));
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_quotes_what_a_shell_would_split() {
        let mut command = Command::new("cargo");
        command.args(["run", "--", "two words", ""]);
        assert_eq!(line(&command), "cargo run -- 'two words' ''");
    }

    #[test]
    fn a_failure_keeps_the_exit_code() {
        let error = run(Command::new("sh").args(["-c", "exit 7"])).expect_err("sh ends with 7");
        assert_eq!(error.downcast_ref::<CommandFailed>().map(|failed| failed.code), Some(7));
    }

    #[test]
    fn a_killed_program_counts_as_128_plus_the_signal() {
        let error = run(Command::new("sh").args(["-c", "kill -9 $$"])).expect_err("sh is killed");
        assert_eq!(error.downcast_ref::<CommandFailed>().map(|failed| failed.code), Some(137));
    }

    #[test]
    fn output_of_a_failing_command_shows_what_it_complained_of() {
        let error = output(Command::new("sh").args(["-c", "echo no such thing >&2; exit 1"]));
        assert!(error.expect_err("sh ends with 1").to_string().ends_with("failed: no such thing"));
    }
}
