//! A folder of its own for each test, and the real command run in it.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// A folder with a template or more, in which `tasker` is run.
pub(crate) struct Folder(TempDir);

/// What a command wrote, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// A folder with one template file.
    pub(crate) fn with(file: &str, text: &str) -> Self {
        let folder = Self::new();
        folder.write(file, text);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.file(file), text).expect("writable");
    }

    /// What a file holds; nothing if it is not there.
    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.file(file)).unwrap_or_default()
    }

    /// The command, without the variables of whoever runs the test.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasker"));
        command.args(args).current_dir(self.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("USER", "ada");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().expect("the command starts")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ended(self.start(args))
    }

    /// Runs the command, which is to end with this code.
    pub(crate) fn run_to(&self, code: i32, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(code), "tasker {args:?}\n{}\n{}", ran.out, ran.err);
        ran
    }

    /// A pipe with a name: whoever reads it waits for someone who writes.
    pub(crate) fn pipe(&self, name: &str) {
        let made = Command::new("mkfifo").arg(self.file(name)).status().expect("mkfifo is there");
        assert!(made.success());
    }

    /// Waits until someone writes to a pipe; a command that ends before is a failure.
    pub(crate) fn hear(&self, pipe: &str, child: &mut Child) {
        let (heard, words) = mpsc::channel();
        let pipe = self.file(pipe);
        std::thread::spawn(move || heard.send(fs::read_to_string(pipe)));
        while let Err(mpsc::RecvTimeoutError::Timeout) = words.recv_timeout(Duration::from_millis(200)) {
            assert!(child.try_wait().expect("a child").is_none(), "the command ended: {}", rest(child));
        }
    }

    /// A text without what differs from run to run: the folder, ids, times of day, durations.
    pub(crate) fn redacted(&self, text: &str) -> String {
        redacted(&text.replace(&self.path().display().to_string(), "(folder)"))
    }
}

/// Waits for the end of a command.
pub(crate) fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// What a command that has ended wrote to its standard error.
fn rest(child: &mut Child) -> String {
    let mut text = String::new();
    let read = child.stderr.as_mut().map(|stderr| stderr.read_to_string(&mut text));
    read.map(|_| text).unwrap_or_default()
}

/// Sends a signal to a command.
pub(crate) fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success());
}

/// What a command has written to its standard error until it says this.
pub(crate) fn wait_for_words(child: &mut Child, words: &str) -> String {
    let stderr = child.stderr.as_mut().expect("piped");
    let mut heard = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&heard).contains(words) {
        assert_eq!(stderr.read(&mut byte).expect("readable"), 1, "{}", String::from_utf8_lossy(&heard));
        heard.push(byte[0]);
    }
    String::from_utf8_lossy(&heard).into_owned()
}

fn redacted(text: &str) -> String {
    let filters = [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "(id)"),
        (r"\b(task |last |resume |show |retry |resolve |cancel )[0-9a-f]{7}\b", "${1}(short)"),
        (r"(?m)^[0-9a-f]{7}  ", "(short)  "),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "(moment)"),
        (r"\b\d\d:\d\d:\d\d\.\d{3}\b", "(time)"),
        (r" *(\bnow|\b\d+(\.\d)? (ms|s)( ago)?)\b", " (took)"),
        // A column whose width follows the longest of the times.
        (r" {2,}waits for", "  waits for"),
    ];
    filters.iter().fold(text.to_owned(), |text, (pattern, shown)| {
        regex::Regex::new(pattern).expect("a pattern").replace_all(&text, *shown).into_owned()
    })
}
