//! What is run, read from the configuration.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tasker_core::{Failure, FailureKind, Outcome};
use tokio::process::{Child, Command};

use crate::config::{Config, Misconfigured};
use crate::context::StepContext;
use crate::surroundings::Surroundings;

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

/// What a program exits with if it cannot be executed, and if there is none of its name.
const NOT_EXECUTABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

/// A program to be run.
#[derive(Debug)]
pub(super) struct Program {
    /// Its name, for messages.
    pub(super) shown: String,
    /// What it gets on its standard input.
    pub(super) stdin: Vec<u8>,
    command: Command,
    folder: Option<PathBuf>,
    retry_codes: Vec<i64>,
    permanent_codes: Vec<i64>,
}

impl Program {
    pub(super) fn read(step: &StepContext, surroundings: &Surroundings) -> Result<Self, Misconfigured> {
        let config = Config::of(step.config())?;
        let (shown, mut command) = command(config)?;
        command.env_clear().envs(variables(config, step, surroundings)?);
        let folder = match config.text("cwd")? {
            Some(folder) => surroundings.path(folder),
            None => surroundings.path(""),
        };
        let folder = (!folder.as_os_str().is_empty()).then_some(folder);
        if let Some(folder) = &folder {
            command.current_dir(folder);
        }
        let stdin = match config.value("stdin") {
            None => step.to_json().to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        Ok(Self {
            shown,
            stdin: stdin.into_bytes(),
            command,
            folder,
            retry_codes: config.codes("retry_exit_codes")?,
            permanent_codes: config.codes("permanent_exit_codes")?,
        })
    }

    /// Starts it, as the leader of a process group of its own.
    pub(super) fn spawn(&mut self) -> io::Result<Child> {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    /// Whether no other attempt would help after it exited with `code`.
    pub(super) fn is_permanent(&self, code: i32) -> bool {
        let has = |codes: &[i64]| codes.contains(&i64::from(code));
        has(&self.permanent_codes) || ([NOT_EXECUTABLE, NOT_FOUND].contains(&code) && !has(&self.retry_codes))
    }

    /// What it means that it could not be started.
    pub(super) fn not_started(&self, error: &io::Error) -> Outcome {
        let lost_folder = self.folder.as_ref().filter(|folder| !folder.is_dir());
        let failure = |kind, message: String, code: String| Failure::new(kind, message).with_code(code);
        match (lost_folder, error.kind()) {
            (Some(folder), _) => Outcome::Fail(failure(
                FailureKind::Configuration,
                format!("handler_config.cwd: there is no folder {}", folder.display()),
                "INVALID_CONFIGURATION".to_owned(),
            )),
            (None, io::ErrorKind::NotFound) => Outcome::Fail(failure(
                FailureKind::Permanent,
                format!(
                    "{} was not found; install it where the worker runs, or write its full path",
                    self.shown
                ),
                format!("EXIT_{NOT_FOUND}"),
            )),
            (None, io::ErrorKind::PermissionDenied) => Outcome::Fail(failure(
                FailureKind::Permanent,
                format!("{} may not be executed", self.shown),
                format!("EXIT_{NOT_EXECUTABLE}"),
            )),
            (None, io::ErrorKind::InvalidInput) => Outcome::Fail(failure(
                FailureKind::Configuration,
                format!("{} cannot be started: {error}", self.shown),
                "INVALID_CONFIGURATION".to_owned(),
            )),
            (None, _) => {
                let message = format!("{} could not be started: {error}", self.shown);
                let failure = failure(FailureKind::Retryable, message, "NOT_STARTED".to_owned());
                Outcome::Retry { failure, when: None }
            }
        }
    }
}

/// The program with its arguments, and its name for messages.
fn command(config: Config<'_>) -> Result<(String, Command), Misconfigured> {
    const REMEDY: &str =
        "write a list such as [\"convert\", \"in.png\", \"out.jpg\"], or a text for the shell";
    match (config.value("command"), config.text("program")?) {
        (Some(_), Some(_)) => {
            Err(Misconfigured("handler_config has command and program; write one of them".to_owned()))
        }
        (None, Some(program)) => Ok(listed(program, &config.texts("args")?.unwrap_or_default())),
        (Some(Value::String(text)), None) => shell(text),
        (Some(list), None) => match config.texts("command") {
            Ok(Some(words)) if !words.is_empty() => Ok(listed(&words[0], &words[1..])),
            _ => Err(config.wrong("command", "a text, or a list of texts with the program first", list)),
        },
        (None, None) => Err(Misconfigured(format!("handler_config.command is missing; {REMEDY}"))),
    }
}

fn listed(program: &str, args: &[String]) -> (String, Command) {
    let mut command = Command::new(program);
    command.args(args);
    (program.to_owned(), command)
}

fn shell(text: &str) -> Result<(String, Command), Misconfigured> {
    if text.contains("{{") {
        let message = "handler_config.command: nothing is inserted into a text for the shell, which would run it as \
                       code; pass values by `env` and write \"$NAME\", or write a list of program and arguments";
        return Err(Misconfigured(message.to_owned()));
    }
    let mut command = Command::new("sh");
    command.args(["-c", text]);
    let shown: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
    Ok((format!("`{shown}`"), command))
}

/// The variables it gets: those of the worker that are no secrets or that templates may use, those about the step, and
/// its own.
fn variables(
    config: Config<'_>,
    step: &StepContext,
    surroundings: &Surroundings,
) -> Result<BTreeMap<String, String>, Misconfigured> {
    let inherits_all = config.flag("inherit_env")?.unwrap_or(false);
    let is_inherited = |name: &str| inherits_all || name.starts_with("LC_") || INHERITED.contains(&name);
    let inherited = surroundings.variables().iter().filter(|(name, _)| is_inherited(name));
    let mut variables: BTreeMap<String, String> = inherited
        .chain(surroundings.all_exposed())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let about_step = [
        ("TASKER_TASK_ID", step.task_id().to_string()),
        ("TASKER_STEP_ID", step.step_id().to_string()),
        ("TASKER_STEP", step.step_name().to_string()),
        ("TASKER_ATTEMPT", step.attempt().to_string()),
        ("TASKER_RETRY_LIMIT", step.retry_limit().to_string()),
        ("TASKER_IDEMPOTENCY_KEY", step.idempotency_key()),
        ("TASKER_NAMESPACE", step.namespace().to_string()),
        ("TASKER_TASK", step.task_name().to_string()),
        ("TASKER_VERSION", step.version().to_string()),
    ];
    variables.extend(about_step.map(|(name, value)| (name.to_owned(), value)));
    let correlation = step.correlation_id().map(|id| ("TASKER_CORRELATION_ID", id.to_owned()));
    let traceparent = step.traceparent().map(|traceparent| ("TRACEPARENT", traceparent));
    variables
        .extend(correlation.into_iter().chain(traceparent).map(|(name, value)| (name.to_owned(), value)));
    for (name, value) in config.object("env")?.into_iter().flatten() {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(Misconfigured(format!("handler_config.env: {name:?} is not the name of a variable")));
        }
        match value {
            Value::Null => drop(variables.remove(name)),
            Value::String(text) => drop(variables.insert(name.clone(), text.clone())),
            other => drop(variables.insert(name.clone(), other.to_string())),
        }
    }
    Ok(variables)
}
