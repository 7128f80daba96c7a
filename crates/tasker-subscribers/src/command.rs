//! `command`: a program, run for each event. The guide says what it gets, and what its end means.

mod group;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};

use crate::receiver::{Manner, Order, Receiver, Verdict};
use crate::secret::Secret;
use crate::settings::CommandSettings;
use crate::wire::Notice;
use group::Group;

/// What a program exits with that will never take this event.
const REFUSED: i32 = 65;
/// So much of the end of its standard error is looked at.
const KEPT: usize = 4 * 1024;
/// So many characters of the end of its last line are shown.
const SHOWN: usize = 200;
/// What has ended leaves its output behind; it is not waited for longer than this.
const DRAIN: Duration = Duration::from_secs(1);
/// Shorter values hide nothing, and stand in too many texts by chance.
const SHORTEST_SECRET: usize = 6;

/// Variables that every program gets. None of them holds a secret.
const INHERITED: [&str; 14] = [
    "HOME",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
];

/// A program that takes events.
pub(crate) struct CommandReceiver {
    settings: CommandSettings,
    variables: BTreeMap<String, String>,
    folder: PathBuf,
}

impl CommandReceiver {
    /// A receiver for the subscriber of this name, whose program gets what is no secret of `environment`.
    pub(crate) fn new(
        subscriber: &str,
        settings: &CommandSettings,
        environment: &BTreeMap<String, String>,
        folder: PathBuf,
    ) -> Self {
        let is_inherited = |name: &str| name.starts_with("LC_") || INHERITED.contains(&name);
        let inherited = environment.iter().filter(|(name, _)| is_inherited(name));
        let mut variables: BTreeMap<_, _> =
            inherited.map(|(name, value)| (name.clone(), value.clone())).collect();
        variables.insert("TASKER_SUBSCRIBER".to_owned(), subscriber.to_owned());
        Self { settings: settings.clone(), variables, folder }
    }

    fn spawn(&self, notice: &Notice) -> io::Result<Child> {
        let mut command = Command::new(&self.settings.program);
        command
            .args(self.settings.args.iter().map(Secret::reveal))
            .env_clear()
            .envs(&self.variables)
            .envs(notice.variables.iter().map(|(name, value)| (name, value)))
            .envs(self.settings.env.iter().map(|(name, value)| (name, value.reveal())))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if !self.folder.as_os_str().is_empty() {
            command.current_dir(&self.folder);
        }
        command.spawn()
    }

    async fn offer(&self, notice: &Notice) -> Verdict {
        let program = &self.settings.program;
        let mut child = match self.spawn(notice) {
            Ok(child) => child,
            Err(error) => return Verdict::not_yet(format!("{program} could not be started: {error}")),
        };
        let group = Group::of(&child);
        let mut said = Vec::new();
        let ended = attend(&mut child, &notice.body, &mut said, &group);
        match tokio::time::timeout(self.settings.timeout, ended).await {
            Ok(Ok(status)) => self.verdict(status, &self.last_line(&said)),
            Ok(Err(error)) => Verdict::not_yet(format!("{program} could not be waited for: {error}")),
            Err(_) => {
                group.kill();
                // The killed leader must be waited for, or it stays as a zombie.
                let _ = child.wait().await;
                let seconds = self.settings.timeout.as_secs_f64();
                let line = self.last_line(&said);
                Verdict::not_yet(format!("{program} did not end within {seconds} s and was killed{line}"))
            }
        }
    }

    fn verdict(&self, status: ExitStatus, line: &str) -> Verdict {
        let program = &self.settings.program;
        match (status.code(), status.signal()) {
            (Some(0), _) => Verdict::Taken,
            (Some(REFUSED), _) => Verdict::Refused(format!("{program} exited with {REFUSED}{line}")),
            (Some(code), _) => Verdict::not_yet(format!("{program} exited with {code}{line}")),
            (None, Some(signal)) => {
                Verdict::not_yet(format!("{program} was killed by signal {signal}{line}"))
            }
            (None, None) => Verdict::not_yet(format!("{program} ended without an exit code{line}")),
        }
    }

    /// The last line that a program said, after a colon, without the secrets it was given; nothing if it said none.
    fn last_line(&self, said: &[u8]) -> String {
        let text = String::from_utf8_lossy(said);
        let Some(line) = text.lines().rev().find(|line| !line.trim().is_empty()) else {
            return String::new();
        };
        let secrets = self.settings.env.values().chain(&self.settings.args).map(Secret::reveal);
        let secrets = secrets.filter(|secret| secret.len() >= SHORTEST_SECRET);
        let line = secrets.fold(line.trim().to_owned(), |line, secret| line.replace(secret, "***"));
        let skipped = line.chars().count().saturating_sub(SHOWN);
        format!(": {}", line.chars().skip(skipped).collect::<String>())
    }
}

#[async_trait]
impl Receiver for CommandReceiver {
    async fn take(&self, notices: &[Arc<Notice>]) -> Verdict {
        for notice in notices {
            match self.offer(notice).await {
                Verdict::Taken => {}
                verdict @ (Verdict::Refused(_) | Verdict::NotYet { .. }) => return verdict,
            }
        }
        Verdict::Taken
    }

    fn manner(&self) -> Manner {
        Manner { in_flight: self.settings.max_in_flight, batch: 1, order: Order::OfEachTask }
    }
}

/// Feeds a program, listens to it, and waits for its end and that of what it started.
async fn attend(
    child: &mut Child,
    event: &[u8],
    said: &mut Vec<u8>,
    group: &Group,
) -> io::Result<ExitStatus> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program need not read all of it, or anything.
            let _ = stdin.write_all(event).await;
        }
    };
    let mut pipes = Box::pin(async { tokio::join!(feed, listen(stderr, said)) });
    let mut is_read = false;
    let status = loop {
        tokio::select! {
            _ = &mut pipes, if !is_read => is_read = true,
            status = child.wait() => break status?,
        }
    };
    // What the program left running would keep its output open, and nobody would ever end it.
    group.sweep();
    if !is_read {
        let _ = tokio::time::timeout(DRAIN, pipes).await;
    }
    Ok(status)
}

/// Reads to the end, and keeps the end of it.
async fn listen(stderr: Option<ChildStderr>, said: &mut Vec<u8>) {
    let Some(mut stderr) = stderr else { return };
    let mut piece = [0; KEPT];
    while let Ok(read @ 1..) = stderr.read(&mut piece).await {
        said.extend_from_slice(&piece[..read]);
        said.drain(..said.len().saturating_sub(KEPT));
    }
}
