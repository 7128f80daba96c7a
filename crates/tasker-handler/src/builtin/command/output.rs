//! What a program writes, and what it is given to read.

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::event;
use super::group::Group;
use crate::context::StepContext;

/// The standard output may be so long.
pub(super) const LIMIT_BYTES: usize = 10_000_000;
/// So much of the end of each output goes into a failure.
const TAIL_BYTES: usize = 4 * 1024;
/// A line of the standard error is broken after so much.
const LINE_BYTES: usize = 8 * 1024;

/// What a program has written so far.
#[derive(Debug, Default)]
pub(super) struct Output {
    stdout: Vec<u8>,
    /// The end of the standard error.
    stderr_tail: Vec<u8>,
}

/// The pipes between a program and its worker.
#[derive(Debug)]
pub(super) struct Pipes {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Pipes {
    pub(super) fn of(child: &mut Child) -> Self {
        Self { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() }
    }

    /// Feeds the program and reads what it writes, until it has closed its pipes. One that writes too much is killed.
    pub(super) async fn drain(self, stdin: &[u8], output: &mut Output, step: &StepContext, group: &Group) {
        let Output { stdout, stderr_tail } = output;
        tokio::join!(
            feed(self.stdin, stdin),
            read_out(self.stdout, stdout, group),
            read_err(self.stderr, stderr_tail, step),
        );
    }
}

async fn feed(to: Option<ChildStdin>, bytes: &[u8]) {
    if let Some(mut to) = to {
        // A program need not read what it is given.
        let _ = to.write_all(bytes).await;
    }
}

async fn read_out(from: Option<impl AsyncRead + Unpin>, stdout: &mut Vec<u8>, group: &Group) {
    let Some(mut from) = from else { return };
    while from.read_buf(stdout).await.is_ok_and(|read| read > 0) {
        if stdout.len() > LIMIT_BYTES {
            group.kill();
            return;
        }
    }
}

async fn read_err(from: Option<impl AsyncRead + Unpin>, tail: &mut Vec<u8>, step: &StepContext) {
    let Some(mut from) = from else { return };
    let mut line = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        let chunk = &chunk[..read];
        tail.extend_from_slice(chunk);
        tail.drain(..tail.len().saturating_sub(TAIL_BYTES));
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(part);
            if part.ends_with(b"\n") || line.len() >= LINE_BYTES {
                event::take(&String::from_utf8_lossy(&line), step);
                line.clear();
            }
        }
    }
    if !line.is_empty() {
        event::take(&String::from_utf8_lossy(&line), step);
    }
}

impl Output {
    pub(super) fn is_too_long(&self) -> bool {
        self.stdout.len() > LIMIT_BYTES
    }

    /// The results: JSON as a whole, a JSON object or list in the last line, or the text.
    pub(super) fn results(&self) -> Value {
        let text = String::from_utf8_lossy(&self.stdout);
        let text = text.trim();
        if text.is_empty() {
            return Value::Null;
        }
        let last = text.lines().next_back().filter(|line| line.starts_with(['{', '[']));
        serde_json::from_str(text)
            .ok()
            .or_else(|| last.and_then(|line| serde_json::from_str(line).ok()))
            .unwrap_or_else(|| json!({ "stdout": text }))
    }

    /// The ends of both outputs, for a failure.
    pub(super) fn details(&self) -> Value {
        let out = &self.stdout[self.stdout.len().saturating_sub(TAIL_BYTES)..];
        json!({
            "stdout": String::from_utf8_lossy(out).trim_end(),
            "stderr": String::from_utf8_lossy(&self.stderr_tail).trim_end(),
        })
    }

    /// The last line of the standard error that is not blank and no event, shortened.
    pub(super) fn last_error_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.stderr_tail);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty() && !event::is_one(line))?;
        Some(line.chars().take(200).collect())
    }
}
