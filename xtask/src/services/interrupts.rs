//! Ctrl-C and its relatives, as values to look at instead of a sudden end.

use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::say;
use crate::shell;

/// How often a child and the signals are looked at in turn.
const POLL: Duration = Duration::from_millis(20);

/// The signals that ask us to end. From here on they no longer kill this process.
#[derive(Debug)]
pub(super) struct Interrupts {
    signals: Signals,
    asked: bool,
}

impl Interrupts {
    /// Takes the signals over.
    pub(super) fn take() -> Result<Self> {
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot take over Ctrl-C")?;
        Ok(Self { signals, asked: false })
    }

    /// Fails if we were asked to end.
    pub(super) fn check(&mut self) -> Result<()> {
        self.asked |= self.signals.pending().next().is_some();
        ensure!(!self.asked, "interrupted");
        Ok(())
    }

    /// Waits until we are asked to end.
    pub(super) fn wait(&mut self) {
        self.signals.forever().next();
    }

    /// Waits for the child. The first signal lets it end in its own way, the second kills it.
    pub(super) fn wait_for(&mut self, child: &mut Child) -> Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait().context("cannot wait for the command")? {
                return Ok(status);
            }
            match self.signals.pending().next() {
                None => thread::sleep(POLL),
                Some(_) if self.asked => child.kill().context("cannot kill the command")?,
                Some(signal) => {
                    self.asked = true;
                    say("waiting for the command to end; once more kills it");
                    pass_on(signal, child);
                }
            }
        }
    }
}

/// A terminal sends Ctrl-C and hang-up to the child as well; only a `kill` of us alone must be passed on.
fn pass_on(signal: i32, child: &Child) {
    if signal == SIGTERM {
        shell::succeeds(Command::new("kill").args(["-s", "TERM", &child.id().to_string()]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_waited_for_and_its_status_kept() {
        let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn().expect("sh starts");
        let status = Interrupts::take().and_then(|mut i| i.wait_for(&mut child)).expect("sh ends");
        assert_eq!(status.code(), Some(3));
    }
}
