//! What went wrong in a task, and what can be done about it.

use serde_json::Value;
use tasker_core::{Failure, FailureKind, Readiness, State, readiness};
use tasker_engine::TaskView;
use tasker_store::StepRecord;

use crate::desk::Desk;
use crate::ids::short;
use crate::words::{lines as lines_of, one_line, shell_word};

/// Failures are told one by one up to so many.
const TOLD: usize = 5;
/// So many lines of what a program wrote before it failed.
const TAIL: usize = 8;

/// The failures of a task whose steps failed for good, and the commands that help.
pub(crate) fn lines(view: &TaskView, desk: &Desk) -> Vec<String> {
    let failed: Vec<&StepRecord> = view.steps.iter().filter(|step| is_blocked(view, step)).collect();
    let Some(first) = failed.first() else { return Vec::new() };
    let mut lines = Vec::new();
    for step in failed.iter().take(TOLD) {
        lines.push(String::new());
        lines.extend(failure(view, step));
    }
    if failed.len() > TOLD {
        lines.push(format!("\n{} more steps failed", failed.len() - TOLD));
    }
    if view.task.state == State::Error {
        lines.push(String::new());
        lines.extend(remedies(view, first, desk));
    }
    lines
}

fn is_blocked(view: &TaskView, step: &StepRecord) -> bool {
    step.state == State::Error && readiness(&step.facts(), view.now) == Readiness::Blocked
}

fn failure(view: &TaskView, step: &StepRecord) -> Vec<String> {
    let name = &view.step_template(step).name;
    let Some(failure) = &step.failure else { return vec![format!("{name} failed")] };
    let how = match failure.kind {
        FailureKind::Permanent | FailureKind::Configuration => "failed for good".to_owned(),
        FailureKind::Retryable | FailureKind::Panic | FailureKind::Timeout | FailureKind::LeaseExpired => {
            format!("failed in attempt {} of {}", step.attempts, step.retry_limit)
        }
    };
    let mut lines = vec![format!("{name} {how}: {}", one_line(&failure.message))];
    lines.extend(tail(failure).into_iter().map(|line| format!("    {line}")));
    lines
}

/// The end of what a program wrote to its standard error.
fn tail(failure: &Failure) -> Vec<String> {
    let text = ["stderr", "stderr_tail", "response_body"].iter().find_map(|key| failure.details.get(key));
    let lines: Vec<String> =
        text.and_then(Value::as_str).map(|text| lines_of(text).collect()).unwrap_or_default();
    lines[lines.len().saturating_sub(TAIL)..].to_vec()
}

fn remedies(view: &TaskView, step: &StepRecord, desk: &Desk) -> [String; 3] {
    let (id, name) = (short(view.task.id), shell_word(view.step_template(step).name.as_str()));
    let retry = desk.command_line(&format!("task retry {id}"));
    let resume = desk.command_line(&format!("resume {id}"));
    let resolve = desk.command_line(&format!("task resolve {id} --step {name} --results '{{}}'"));
    let cancel = desk.command_line(&format!("task cancel {id}"));
    [
        format!("to try again:          {retry} && {resume}"),
        format!("to go on without it:   {resolve} && {resume}"),
        format!("to give it up:         {cancel}"),
    ]
}
