//! Tasks, histories and answers as text.

use std::fmt::Write;

use tasker_core::{Readiness, State, StepId, TaskId, TaskTemplate, Timestamp, WorkerId, readiness};

use super::Bench;
use crate::command::{CommandError, Done};
use crate::feed::Transition;
use crate::record::StepRecord;
use crate::work::Settled;

/// Holds a text of several lines against another; indentation and empty lines do not count.
#[track_caller]
pub fn assert_lines(found: &str, expected: &str) {
    let (found, expected) = (lines(found), lines(expected));
    assert!(found == expected, "\n--- expected\n{expected}\n--- found\n{found}\n---");
}

/// A text without indentation and empty lines.
pub fn lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

impl Bench {
    /// A task as one line: `in_progress: a complete, b in_progress#1, c pending(1 unmet)`.
    ///
    /// `#` is followed by the number of attempts; a step that completed at its first has none.
    pub async fn picture(&self, task: TaskId) -> String {
        let template = self.template_of(task).await;
        let steps = self.steps(task).await;
        let now = self.now();
        let steps = template.steps.iter().zip(&steps);
        let steps: Vec<_> =
            steps.map(|(template, step)| format!("{} {}", template.name, condition(step, now))).collect();
        format!("{}: {}", self.task(task).await.state, steps.join(", "))
    }

    /// What happened to a task and its steps, one line each: `a pending → in_progress claimed #1`.
    pub async fn history(&self, task: TaskId) -> String {
        let template = self.template_of(task).await;
        let transitions = self.transitions(task).await;
        transitions.iter().map(|transition| transition_line(transition, &template) + "\n").collect()
    }

    /// What happened to a task and its steps.
    pub async fn transitions(&self, task: TaskId) -> Vec<Transition> {
        self.store.history(task).await.expect("the store reads a history")
    }

    /// The answer to a command as text: `2 steps, task cancelled`, or why it was refused.
    pub async fn told(&self, task: TaskId, answer: &Result<Done, CommandError>) -> String {
        let error = match answer {
            Ok(Done { steps, task_state: None }) => return format!("{steps} steps"),
            Ok(Done { steps, task_state: Some(state) }) => return format!("{steps} steps, task {state}"),
            Err(error) => error,
        };
        let mut text = error.to_string();
        for (index, step) in self.template_of(task).await.steps.iter().enumerate() {
            let id = task.step(u32::try_from(index).expect("an ordinal"));
            text = text.replace(&id.to_string(), step.name.as_str());
        }
        text.replace(&format!("task {task}"), "the task").replace(&task.to_string(), "the task")
    }
}

/// What became of a settlement as text: `error, again in 2 s`.
pub(crate) fn settled_text(settled: Settled, now: Timestamp) -> String {
    match settled {
        Settled::Stale => "stale".to_owned(),
        Settled::Recorded { state, ready_at: None } => state.to_string(),
        Settled::Recorded { state, ready_at: Some(time) } => format!("{state}, again in {}", wait(time, now)),
    }
}

fn condition(step: &StepRecord, now: Timestamp) -> String {
    let mut text = step.state.to_string();
    if step.attempts > u32::from(step.state == State::Complete) {
        let _ = write!(text, "#{}", step.attempts);
    }
    let waits = match readiness(&step.facts(), now) {
        Readiness::Now => "(ready)".to_owned(),
        Readiness::At { time } => format!("(in {})", wait(time, now)),
        Readiness::After { unmet } => format!("({unmet} unmet)"),
        Readiness::Held => "(held)".to_owned(),
        Readiness::Running | Readiness::Blocked | Readiness::Ended => String::new(),
    };
    text + &waits
}

fn wait(time: Timestamp, now: Timestamp) -> String {
    format!("{} s", time.since(now).as_secs_f64())
}

/// One line of a history.
pub(crate) fn transition_line(transition: &Transition, template: &TaskTemplate) -> String {
    let mut line = transition.step.map_or_else(|| "task".to_owned(), |step| name_of(step, template));
    if let Some(from) = transition.from {
        let _ = write!(line, " {from}");
    }
    let _ = write!(line, " → {} {}", transition.to, transition.cause);
    if let Some(attempt) = transition.attempt {
        let _ = write!(line, " #{attempt}");
    }
    match &transition.by {
        Some(by) if by.parse::<WorkerId>().is_err() => line + " by " + by,
        _ => line,
    }
}

fn name_of(step: StepId, template: &TaskTemplate) -> String {
    let step = template.steps.get(step.ordinal() as usize);
    step.expect("a transition is of a step that exists").name.to_string()
}
