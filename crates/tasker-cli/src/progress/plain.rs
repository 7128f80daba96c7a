//! One transition a line, for people: `12:00:01.123  extract_a  in_progress  attempt 1 of 3`.

use tasker_core::{State, StepId, Timestamp};
use tasker_store::{Cause, Transition};

use super::Progress;
use crate::board::{Board, Standing};
use crate::terminal::Terminal;
use crate::words::{duration, one_line, padded, time_of_day, width, without_controls};

/// The widest column of names.
const WIDEST_NAME: usize = 40;
/// The column of states holds the longest that is usual.
const STATE: usize = 11;

/// Tells transitions line by line.
pub(crate) struct Plain {
    names: usize,
}

impl Plain {
    pub(crate) fn new(board: &Board) -> Self {
        let names = board.template.steps.iter().map(|step| width(step.name.as_str()));
        let task = board.template.name.as_str();
        Self { names: names.chain([width(task)]).max().unwrap_or(0).min(WIDEST_NAME) }
    }
}

impl Plain {
    fn line(&self, board: &Board, transition: &Transition) -> Option<String> {
        // A retry that is due is claimed in the same moment: the next line says all.
        if transition.cause == Cause::RetryDue {
            return None;
        }
        let (name, what) = match transition.step {
            Some(step) => (board.name(step), said_of_step(board, step, transition)),
            None => (board.template.name.as_str(), said_of_task(transition)),
        };
        let (time, name) = (time_of_day(transition.at), padded(&one_line(name), self.names));
        Some(format!("{time}  {name}  {:STATE$}  {what}", transition.to).trim_end().to_owned())
    }
}

impl Progress for Plain {
    fn moved(&mut self, terminal: &mut Terminal, board: &Board, transition: &Transition) {
        if let Some(line) = self.line(board, transition) {
            terminal.note(terminal.paint_notes().state(transition.to, line));
        }
    }

    fn logged(&mut self, terminal: &mut Terminal, (at, step): (Timestamp, &str), line: &str) {
        let name = padded(&one_line(step), self.names);
        terminal.note(format!("{}  {name}  | {}", time_of_day(at), without_controls(line)));
    }

    fn tick(&mut self, _: &Board, _: Timestamp) {}

    fn note(&mut self, terminal: &mut Terminal, text: &str) {
        terminal.note(text);
    }

    fn end(&mut self) {}
}

fn said_of_step(board: &Board, step: StepId, transition: &Transition) -> String {
    let Some(standing) = board.standing(step) else { return String::new() };
    match transition.to {
        State::InProgress => format!("attempt {} of {}", standing.attempt, standing.limit),
        State::Complete => standing.took(transition.at).map(duration).unwrap_or_default(),
        State::Error => said_of_failure(standing, transition.at),
        State::Pending if transition.cause == Cause::Snoozed => match standing.due {
            Some(due) => format!("waits {}", duration(due.since(transition.at))),
            None => "waits".to_owned(),
        },
        State::Pending => transition.cause.to_string(),
        State::Cancelled | State::ResolvedManually => by(transition),
    }
}

/// When it is tried again, if it is, and what went wrong.
pub(super) fn said_of_failure(standing: &Standing, now: Timestamp) -> String {
    let failure = standing.failure.as_deref().map(one_line).unwrap_or_default();
    match (standing.is_final, standing.due) {
        (true, _) if standing.attempt < standing.limit => format!("for good: {failure}"),
        (true, _) => format!("attempt {} of {}: {failure}", standing.attempt, standing.limit),
        (false, Some(due)) => {
            format!("attempt {} in {}: {failure}", standing.attempt + 1, duration(due.since(now)))
        }
        (false, None) => format!("attempt {} follows: {failure}", standing.attempt + 1),
    }
}

fn said_of_task(transition: &Transition) -> String {
    match transition.cause {
        Cause::Submitted => format!("task {}", transition.task),
        Cause::Blocked => "no step can go on".to_owned(),
        Cause::Cancelled | Cause::Resolved | Cause::RetryRequested => by(transition),
        Cause::Claimed
        | Cause::Started
        | Cause::Completed
        | Cause::Failed
        | Cause::LeaseExpired
        | Cause::Snoozed
        | Cause::RetryDue
        | Cause::TaskCancelled
        | Cause::TaskResolved => String::new(),
    }
}

fn by(transition: &Transition) -> String {
    transition.by.as_ref().map(|by| format!("by {by}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::trial::{ETL, Trial};

    #[tokio::test]
    async fn every_transition_is_a_line() {
        let trial = Trial::of(ETL).await;
        let mut board = Board::of(&trial.view().await);
        trial.complete(400, &json!({})).await;
        trial.complete(12, &json!({})).await;
        trial.fail(1_100, "sh exited with 1").await;
        trial.pass(1_000);
        trial.fail(20, "sh exited with 1").await;
        let mut lines = Vec::new();
        for transition in &trial.history().await {
            board.apply(transition);
            lines.extend(Plain::new(&board).line(&board, transition));
        }
        let lines = lines.join("\n").replace(&trial.task.to_string(), "(id)");
        insta::assert_snapshot!(lines, @r"
        12:00:00.000  etl        pending      task (id)
        12:00:00.000  etl        in_progress
        12:00:00.000  extract_a  in_progress  attempt 1 of 3
        12:00:00.000  extract_b  in_progress  attempt 1 of 3
        12:00:00.400  extract_a  complete     400 ms
        12:00:00.400  extract_b  complete     400 ms
        12:00:00.400  transform  in_progress  attempt 1 of 3
        12:00:00.412  transform  complete     12 ms
        12:00:00.412  load       in_progress  attempt 1 of 2
        12:00:01.512  load       error        attempt 2 follows: sh exited with 1
        12:00:02.512  load       in_progress  attempt 2 of 2
        12:00:02.532  load       error        attempt 2 of 2: sh exited with 1
        12:00:02.532  etl        error        no step can go on
        ");
    }
}
