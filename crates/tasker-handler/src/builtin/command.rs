//! `command`: runs a program.
//!
//! The program gets the step as JSON on its standard input and in `TASKER_*` variables; what it writes to its standard
//! output are the results, what it writes to its standard error goes to the step's log,
//! but for lines `::event NAME JSON`, which emit an event. It runs in a process group
//! of its own, and nothing of that group outlives the attempt.
//!
//! | Exit | Outcome |
//! |---|---|
//! | 0 | done |
//! | in `permanent_exit_codes`, 126 (not executable), 127 (not found) | failed for good, code `EXIT_<n>` |
//! | in `retry_exit_codes`, 75 (`EX_TEMPFAIL`), any other | retried after the step's backoff, code `EXIT_<n>` |
//! | killed by a signal | retried after the step's backoff, code `SIGNAL_<n>` |

mod event;
mod group;
mod output;
mod program;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tasker_core::{Failure, FailureKind, Outcome};
use tokio::process::Child;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::config::Shape;
use crate::context::StepContext;
use crate::handler::StepHandler;
use crate::surroundings::Surroundings;
use crate::tracer::TRACE_TARGET;
use group::Group;
use output::{Output, Pipes};
use program::Program;

pub(super) const FIELDS: &[(&str, Shape)] = &[
    ("command", Shape::TextOrTexts),
    ("program", Shape::Text),
    ("args", Shape::Texts),
    ("env", Shape::Object),
    ("inherit_env", Shape::Flag),
    ("cwd", Shape::Text),
    ("stdin", Shape::Any),
    ("retry_exit_codes", Shape::Codes),
    ("permanent_exit_codes", Shape::Codes),
];

/// What has ended leaves its output behind; it is not waited for longer than this.
const DRAIN: Duration = Duration::from_secs(2);

/// `command`: runs a program.
///
/// | Field of `handler_config` | |
/// |---|---|
/// | `command` | a list of program and arguments; or a text that `sh -c` runs, in which nothing is inserted |
/// | `program`, `args` | the same in two fields |
/// | `env` | variables; null takes one away |
/// | `inherit_env` | whether the program gets all variables of the worker, not only `PATH`, `HOME`, `LANG` and such, and those that templates may use |
/// | `cwd` | the folder it runs in; the worker's base folder if absent |
/// | `stdin` | a text or JSON for its standard input; the step as JSON if absent |
/// | `retry_exit_codes`, `permanent_exit_codes` | lists of numbers |
///
/// Results: the standard output if it is JSON; else its last line if that is a JSON object or list; else
/// `{"stdout": text}`; null if there is none. At most 10 MB.
#[derive(Debug)]
pub struct CommandHandler {
    surroundings: Arc<Surroundings>,
}

impl CommandHandler {
    /// A handler whose programs see of `surroundings` what their steps ask for.
    pub fn new(surroundings: Arc<Surroundings>) -> Self {
        Self { surroundings }
    }
}

#[async_trait]
impl StepHandler for CommandHandler {
    async fn run(&self, step: &StepContext) -> Outcome {
        let span = tracing::info_span!(
            target: TRACE_TARGET,
            "command",
            otel.name = "command",
            process.command = Empty,
            process.exit.code = Empty,
        );
        let mut program = match span.in_scope(|| Program::read(step, &self.surroundings)) {
            Ok(program) => program,
            Err(error) => return error.into(),
        };
        span.record("process.command", &*program.shown);
        match program.spawn() {
            Ok(child) => attend(child, program, step).instrument(span).await,
            Err(error) => program.not_started(&error),
        }
    }

    /// A shell would run what is inserted into its text.
    fn takes_verbatim(&self, key: &str, value: &serde_json::Value) -> bool {
        key == "command" && value.is_string()
    }
}

/// Stays with a program until it has ended, or ends it.
async fn attend(mut child: Child, program: Program, step: &StepContext) -> Outcome {
    let group = Group::of(&child);
    let mut output = Output::default();
    let ended = tokio::select! {
        ended = finish(&mut child, &program, &mut output, step, &group) => ended,
        () = step.cancellation().cancelled() => {
            group.terminate(&mut child).await;
            let message = format!("{} was stopped: its attempt was cancelled", program.shown);
            let failure = Failure::new(FailureKind::Retryable, message).with_code("CANCELLED");
            return Outcome::Retry { failure: failure.with_details(output.details()), when: None };
        }
    };
    match ended {
        Ok(status) => {
            Span::current().record("process.exit.code", status.code());
            outcome(status, &program, &output)
        }
        Err(error) => {
            let message = format!("{} could not be waited for: {error}", program.shown);
            Outcome::Retry { failure: Failure::new(FailureKind::Retryable, message), when: None }
        }
    }
}

/// Feeds the program, reads what it writes, and waits for its end and that of what it started.
async fn finish(
    child: &mut Child,
    program: &Program,
    output: &mut Output,
    step: &StepContext,
    group: &Group,
) -> io::Result<ExitStatus> {
    let mut pipes = Box::pin(Pipes::of(child).drain(&program.stdin, output, step, group));
    let mut is_read = false;
    let status = loop {
        tokio::select! {
            () = &mut pipes, if !is_read => is_read = true,
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

fn outcome(status: ExitStatus, program: &Program, output: &Output) -> Outcome {
    if output.is_too_long() {
        let message = format!(
            "{} wrote more than {} MB to its standard output; let it write to a file and give its name",
            program.shown,
            output::LIMIT_BYTES / 1_000_000
        );
        return Outcome::Fail(Failure::new(FailureKind::Permanent, message).with_code("OUTPUT_TOO_LARGE"));
    }
    let failed = |kind, what: String, code: String| {
        let last = output.last_error_line().map_or_else(String::new, |line| format!(": {line}"));
        let message = format!("{} {what}{last}", program.shown);
        let mut details = output.details();
        details["exit_code"] = json!(status.code());
        Failure::new(kind, message).with_code(code).with_details(details)
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => Outcome::Done(output.results()),
        (Some(code), _) if program.is_permanent(code) => {
            let what = format!("exited with {code}");
            Outcome::Fail(failed(FailureKind::Permanent, what, format!("EXIT_{code}")))
        }
        (Some(code), _) => {
            let what = format!("exited with {code}");
            Outcome::Retry {
                failure: failed(FailureKind::Retryable, what, format!("EXIT_{code}")),
                when: None,
            }
        }
        (None, signal) => {
            let signal = signal.unwrap_or_default();
            let what = format!("was killed by signal {signal}");
            let failure = failed(FailureKind::Retryable, what, format!("SIGNAL_{signal}"));
            Outcome::Retry { failure, when: None }
        }
    }
}
